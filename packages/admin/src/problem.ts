/** What is told instead of an answer (docs/api.md, Errors). */
export type ProblemKind =
  | 'bad-request'
  | 'unauthorized'
  | 'forbidden'
  | 'not-found'
  | 'method-not-allowed'
  | 'timeout'
  | 'reload-refused'
  | 'too-large'
  | 'unsupported-media-type'
  | 'headers-too-large'
  | 'too-many'
  | 'internal'
  | 'unavailable';

const STATUS: Readonly<Record<ProblemKind, number>> = {
  'bad-request': 400,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  'method-not-allowed': 405,
  timeout: 408,
  'reload-refused': 409,
  'too-large': 413,
  'unsupported-media-type': 415,
  'too-many': 429,
  'headers-too-large': 431,
  internal: 500,
  unavailable: 503,
};

type Fault = Readonly<{ field: string; value: unknown; expected: string }>;

/** Thrown where a request cannot be answered; the one handler of errors says it. */
export class Problem extends Error {
  readonly kind: ProblemKind;
  readonly fault: Fault | null;
  readonly headers: Readonly<Record<string, string>>;
  /** Of a configuration, one text each. */
  problems: readonly string[] = [];

  constructor(kind: ProblemKind, message: string, fault: Fault | null = null, headers: Problem['headers'] = {}) {
    super(message);
    this.name = 'Problem';
    this.kind = kind;
    this.fault = fault;
    this.headers = headers;
  }
}

/** A configuration that was not put to work, and every problem of it. */
export function reloadRefused(problems: readonly string[]): Problem {
  const refused = new Problem('reload-refused', 'the configuration was not put to work: nothing has changed');
  refused.problems = problems;
  return refused;
}

/** A field that is missing or wrong: its name, its value and what would be right (SPEC 1.7). */
export function wrong(field: string, value: unknown, expected: string): Problem {
  const what = value === undefined ? 'is missing' : `${shown(value)} is not right`;
  return new Problem('bad-request', `${field}: ${what}: expected ${expected}`, { field, value, expected });
}

export function statusOfProblem({ kind }: Problem): number {
  return STATUS[kind];
}

/** How it is told. `problems`: of a configuration that was refused. */
type ProblemShown = Readonly<{
  kind: ProblemKind;
  message: string;
  field: string | null;
  value: string | null;
  expected: string | null;
  problems?: readonly string[];
}>;

export function problemBody({ kind, message, fault, problems }: Problem): Readonly<{ error: ProblemShown }> {
  const value = fault === null || fault.value === undefined ? null : shown(fault.value);
  const error = { kind, message, field: fault?.field ?? null, value, expected: fault?.expected ?? null };
  return { error: kind === 'reload-refused' ? { ...error, problems } : error };
}

/** As text of at most 80 characters, with nothing in it that a terminal obeys. */
function shown(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : (JSON.stringify(value) ?? String(value));
  const printable = text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
  return printable.length > 80 ? `${printable.slice(0, 77)}...` : printable;
}
