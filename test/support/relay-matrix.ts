/** What a sender hears, and what the next hop has, for everything that can go wrong at the next hop: the table of docs/relay.md, to which the relay is held. */

export type Point =
  | 'connecting'
  | 'the greeting'
  | 'EHLO'
  | 'STARTTLS, optional'
  | 'STARTTLS, required'
  | 'MAIL'
  | 'the only RCPT'
  | 'RCPT, the second of two'
  | 'DATA'
  | 'the middle of the message'
  | 'the end of the message'
  | 'QUIT, or RSET';

export type Fault =
  | 'refuses with 4yz'
  | 'refuses with 5yz'
  | 'closes'
  | 'is silent'
  | 'says yes, and closes'
  | 'says yes too late'
  | 'says no too late';

export type Cell = Readonly<{
  point: Point;
  fault: Fault;
  /** `DATA`: before 354. `end`: to the end of the message. */
  hears: string;
  /** Messages that the next hop has. Where it said nothing, what it may have. */
  holds: 0 | 1;
  /** The same once the sender has tried again and the next hop is well; null: it does not try again. */
  afterRetry: 1 | 2 | null;
}>;

type Outcome = Omit<Cell, 'point' | 'fault'>;

const NOT_YET = '450 4.7.1';
const NEVER = '554 5.7.1';
const BROKE = '451 4.4.2';

const TAKEN: Outcome = { hears: 'end 250 2.0.0', holds: 1, afterRetry: null };

/** The sender keeps it, and nobody else has it. */
function kept(hears: string): Outcome {
  return { hears, holds: 0, afterRetry: 1 };
}

function bounced(hears: string): Outcome {
  return { hears, holds: 0, afterRetry: null };
}

/** The sender keeps it, and the next hop may have it too. */
function doubtful(hears: string): Outcome {
  return { hears, holds: 1, afterRetry: 2 };
}

function cells(point: Point, outcomes: Readonly<Partial<Record<Fault, Outcome>>>): readonly Cell[] {
  return Object.entries(outcomes).map(([fault, outcome]) => ({ point, fault: fault as Fault, ...outcome }));
}

/** The same whatever goes wrong. */
function always(outcome: Outcome): Readonly<Partial<Record<Fault, Outcome>>> {
  return { 'refuses with 4yz': outcome, 'refuses with 5yz': outcome, closes: outcome, 'is silent': outcome };
}

/** A no that is the sender's to hear; else the connection broke. */
function told(at: 'DATA' | 'end'): Readonly<Partial<Record<Fault, Outcome>>> {
  return {
    ...always(kept(`${at} ${BROKE}`)),
    'refuses with 4yz': kept(`${at} ${NOT_YET}`),
    'refuses with 5yz': bounced(`${at} ${NEVER}`),
  };
}

export const CELLS: readonly Cell[] = [
  ...cells('connecting', { closes: kept('DATA 451 4.4.1'), 'is silent': kept('DATA 451 4.4.1') }),
  ...cells('the greeting', { ...told('DATA'), 'refuses with 5yz': kept('DATA 451 4.5.0') }),
  ...cells('EHLO', { ...told('DATA'), 'refuses with 5yz': TAKEN }),
  ...cells('STARTTLS, optional', always(TAKEN)),
  ...cells('STARTTLS, required', always(kept('DATA 451 4.7.5'))),
  ...cells('MAIL', told('DATA')),
  ...cells('the only RCPT', told('DATA')),
  ...cells('RCPT, the second of two', {
    ...told('DATA'),
    'refuses with 4yz': kept('DATA 451 4.3.0'),
    'refuses with 5yz': kept('DATA 451 4.3.0'),
  }),
  ...cells('DATA', told('DATA')),
  ...cells('the middle of the message', told('end')),
  ...cells('the end of the message', {
    ...told('end'),
    closes: doubtful(`end ${BROKE}`),
    'is silent': doubtful(`end ${BROKE}`),
    'says yes, and closes': TAKEN,
    'says yes too late': doubtful(`end ${BROKE}`),
    'says no too late': kept(`end ${BROKE}`),
  }),
  ...cells('QUIT, or RSET', always(TAKEN)),
];

/** Where the table stands in docs/relay.md, between these two lines. */
export const MATRIX_BEGINS = '<!-- npm run reference writes this table; a test plays every line of it -->\n';
export const MATRIX_ENDS = '<!-- the end of the table -->\n';

export function matrixTable(): string {
  const lines = CELLS.map(({ point, fault, hears, holds, afterRetry }) => {
    const [at, ...reply] = hears.split(' ');
    const command = at === 'DATA' ? 'DATA' : 'the end of the message';
    return `| ${point} | ${fault} | \`${reply.join(' ')}\` to ${command} | ${holdsWords(holds, afterRetry)} |`;
  });
  const head = ['| At | the next hop | the sender hears | and the message is |', '|---|---|---|---|'];
  return `\n${[...head, ...lines].join('\n')}\n\n`;
}

function holdsWords(holds: Cell['holds'], afterRetry: Cell['afterRetry']): string {
  if (afterRetry === 2) return "the sender's, perhaps the next hop's too; after the retry it may arrive twice";
  if (afterRetry === 1) return "the sender's, which tries again";
  return holds === 1 ? "the next hop's" : "returned by the sender's server";
}
