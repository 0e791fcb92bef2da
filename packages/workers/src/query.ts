/** One probe: a question about one recipient, shared by all who wait for its answer (SPEC 3.5). */
import { type Cause, printReply, type Reply, type Server, type Verdict } from '@callahead/core';

/** `fresh`: wants an answer of its own, that nobody has had and nobody keeps. `again`: asked a second time because an actor broke; there is no third. */
export type Waiter = Readonly<{ id: number; deadlineMs: number; traced: boolean; fresh: boolean; again: boolean }>;

/** The question is decided, for this server at least. */
export type Outcome =
  | Readonly<{ kind: 'valid' | 'unknown' | 'refused' | 'temporary'; reply: Reply }>
  /** `dialing`: not even a connection came about (SPEC 8.5); `left-alone`: the breaker is open. */
  | Readonly<{ kind: 'failed'; cause: Cause; detail: string; during: 'dialing' | 'left-alone' | 'conversation' }>;

/**
 * On what session it must be asked. `fresh`: on a new connection; `lost` if one was lost after MAIL was accepted, which may happen once (SPEC 4.4).
 * `alone`: on a new connection with nobody else; `suspect` is what a shared one said, `doubt` why that is not believed (SPEC 4.5).
 */
export type Manner =
  | Readonly<{ kind: 'any' }>
  | Readonly<{ kind: 'fresh'; lost: boolean }>
  | Readonly<{ kind: 'alone'; lost: boolean; suspect: Suspect }>;

export type Suspect = Readonly<{ outcome: Outcome; reply: Reply; doubt: 'closed' | 'shared' }>;

/** What a session makes of a query. `again`: it must be asked on another session, in this manner. */
export type Told = Outcome | Readonly<{ kind: 'again'; manner: Manner }>;
export type Tell = (query: Query, told: Told) => void;

/** To be asked on a new connection; `lost` if a connection was lost under it. */
export function anew(query: Query, lost: boolean): Told {
  const { manner } = query;
  const lostBefore = manner.kind !== 'any' && manner.lost;
  if (manner.kind === 'alone') return { kind: 'again', manner: { ...manner, lost: lost || lostBefore } };
  return { kind: 'again', manner: { kind: 'fresh', lost: lost || lostBefore } };
}

/** One server's turn, from `startedMs`; `shares` servers are untried, this one included (SPEC 4.7). */
export type Attempt = Readonly<{ server: string; startedMs: number; shares: number }>;

export type Failure = Extract<Outcome, { kind: 'failed' }> & Readonly<{ server: string }>;

export type Query = {
  readonly key: string;
  readonly recipient: string;
  /** It needs SMTPUTF8 (SPEC 4.11). */
  readonly utf8: boolean;
  /** The cache's generation when it was asked: a flush beats it (SPEC 4.10). */
  readonly generation: number;
  /** It has one waiter, joins no other probe and leaves nothing in the cache. */
  readonly fresh: boolean;
  /** Nobody asked for it: it is an answer from the cache that is asked anew. Others may join it. */
  readonly refreshes: boolean;
  readonly ref: string;
  waiters: Waiter[];
  /** The latest waiter's. */
  deadlineMs: number;
  walkStartedMs: number;
  untried: readonly Server[];
  at: Readonly<{ kind: 'server'; attempt: Attempt }> | Readonly<{ kind: 'parked'; untilMs: number }>;
  manner: Manner;
  /** The first 4xx of the walk, and every failure of it. */
  temporary: Readonly<{ server: string; reply: Reply }> | null;
  failures: Failure[];
  /** What was said about it, for the log, and which server said the last of it. */
  readonly dialogue: string[];
  heardFrom: string;
};

/** When the present server's time is over; later once a later waiter has joined. */
export function attemptDeadlineMs(query: Query): number {
  if (query.at.kind === 'parked') return query.deadlineMs;
  const { startedMs, shares } = query.at.attempt;
  return startedMs + (query.deadlineMs - startedMs) / shares;
}

const MOST_LINES = 200;

/** Adds lines to the dialogue: under the server's name, printable ASCII, and not without end. */
export function note(query: Query, lines: readonly string[]): void {
  if (query.at.kind === 'server' && query.at.attempt.server !== query.heardFrom) {
    query.heardFrom = query.at.attempt.server;
    query.dialogue.push(`-- ${query.heardFrom}`);
  }
  for (const line of lines) {
    if (query.dialogue.length >= MOST_LINES) return;
    query.dialogue.push(line.replace(/[^\x20-\x7e]/g, '?').slice(0, 600));
  }
}

export type QueryStart = Readonly<{
  key: string;
  recipient: string;
  deadlineMs: number;
  waiter: Waiter | null;
  generation: number;
  ref: string;
  nowMs: number;
}>;

/** A query that is parked until its walk begins. */
export function startQuery({ key, recipient, deadlineMs, waiter, generation, ref, nowMs }: QueryStart): Query {
  return {
    key,
    recipient,
    utf8: /[\u0080-\uffff]/.test(recipient),
    generation,
    fresh: waiter?.fresh ?? false,
    refreshes: waiter === null,
    ref,
    waiters: waiter === null ? [] : [waiter],
    deadlineMs,
    walkStartedMs: nowMs,
    untried: [],
    at: { kind: 'parked', untilMs: Number.POSITIVE_INFINITY },
    manner: { kind: 'any' },
    temporary: null,
    failures: [],
    dialogue: [],
    heardFrom: '',
  };
}

/**
 * What is known when nobody said anything definite (SPEC 4.6): a 4xx counts for more than a failure, any failure for more than a loop. Without a `ref`
 * where there was no room, and so nothing was said that could be told.
 */
export function verdictOf({ temporary, failures, dialogue, ...query }: Query): Exclude<Verdict, { kind: 'valid' }> {
  if (temporary !== null) return { kind: 'temporary', source: 'server', ...temporary, ref: query.ref };
  const last = failures.findLast(({ cause }) => cause !== 'loop') ?? failures.at(-1) ?? leftAlone;
  const { server, cause, detail } = last;
  const ref = cause === 'overload' && dialogue.length === 0 ? '' : query.ref;
  return { kind: 'failed', source: 'server', server, cause, detail, ref };
}

export const timedOut = {
  kind: 'failed',
  cause: 'timeout',
  detail: 'no answer within its time',
  during: 'conversation',
} as const;

/** One server's breaker is open. */
export const serverLeftAlone = {
  kind: 'failed',
  cause: 'connect',
  detail: 'the server is left alone after failures',
  during: 'left-alone',
} as const;

const leftAlone: Failure = {
  kind: 'failed',
  cause: 'connect',
  detail: 'every server is left alone after failures',
  during: 'left-alone',
  server: '',
};

/** For `explain`. */
export function factsOf(outcome: Outcome): Readonly<Record<string, string>> {
  if (outcome.kind === 'failed') return { kind: outcome.kind, cause: outcome.cause, detail: outcome.detail };
  return { kind: outcome.kind, reply: printReply(outcome.reply) };
}
