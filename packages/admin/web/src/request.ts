/** Questions to the gateway, and what can come of them on a good day. */
import type { Problem } from './contract.ts';

export type Outcome<T> =
  | Readonly<{ kind: 'ok'; value: T }>
  | Readonly<{ kind: 'unauthorized' }>
  | Readonly<{ kind: 'problem'; problem: Problem }>
  | Readonly<{ kind: 'unreachable' }>;

export type Api = Readonly<{
  get<T>(path: string): Promise<Outcome<T>>;
  post<T>(path: string, body: object): Promise<Outcome<T>>;
  /** The body of an endless answer, which `signal` ends. */
  open(path: string, signal: AbortSignal): Promise<Outcome<ReadableStream<Uint8Array>>>;
}>;

export type ApiOptions = Readonly<{
  fetch: typeof fetch;
  token: () => string | null;
  /** The token is missing or wrong. */
  locked: () => void;
}>;

/** The longest a recipient may take (validationTimeout), and a little. */
const LONGEST_MS = 250_000;
const READ_MS = 15_000;

export function createApi({ fetch, token, locked }: ApiOptions): Api {
  async function ask(path: string, init: RequestInit): Promise<Outcome<Response>> {
    const headers = new Headers(init.headers);
    const said = token();
    if (said !== null) headers.set('authorization', `Bearer ${said}`);
    try {
      const response = await fetch(path, { ...init, headers, cache: 'no-store' });
      if (response.ok) return { kind: 'ok', value: response };
      if (response.status === 401) {
        locked();
        return { kind: 'unauthorized' };
      }
      return { kind: 'problem', problem: await problemIn(response) };
    } catch {
      return { kind: 'unreachable' };
    }
  }

  async function json<T>(path: string, init: RequestInit): Promise<Outcome<T>> {
    const asked = await ask(path, init);
    if (asked.kind !== 'ok') return asked;
    try {
      return { kind: 'ok', value: (await asked.value.json()) as T };
    } catch {
      return { kind: 'unreachable' };
    }
  }

  return {
    get: (path) => json(path, { signal: AbortSignal.timeout(READ_MS) }),
    post: (path, body) =>
      json(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(LONGEST_MS),
      }),
    async open(path, signal) {
      const asked = await ask(path, { signal });
      if (asked.kind !== 'ok') return asked;
      const { body } = asked.value;
      return body === null ? { kind: 'unreachable' } : { kind: 'ok', value: body };
    },
  };
}

/** A sentence for people. */
export function troubleOf(outcome: Exclude<Outcome<unknown>, Readonly<{ kind: 'ok' }>>): Problem {
  switch (outcome.kind) {
    case 'problem':
      return outcome.problem;
    case 'unauthorized':
      return { kind: 'unauthorized', message: 'The gateway wants its token.' };
    case 'unreachable':
      return { kind: 'unreachable', message: 'The gateway does not answer. Is it running?' };
  }
}

async function problemIn(response: Response): Promise<Problem> {
  try {
    const { error } = (await response.json()) as { error: Problem };
    return error;
  } catch {
    return {
      kind: 'internal',
      message: `The gateway answered ${response.status}, and nothing that this page understands.`,
    };
  }
}
