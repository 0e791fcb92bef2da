/** When a server is left alone, and how it comes back (SPEC 8.5). Pure: each function says what the breaker is next. */
export type Breaker =
  | Readonly<{ kind: 'closed'; failures: number }>
  /** Enough attempts have failed, and others are under way: they are waited for until then, and no more are begun. */
  | Readonly<{ kind: 'doubtful'; untilMs: number }>
  | Readonly<{ kind: 'open'; untilMs: number; pauseMs: number }>
  /** `trial`: the thread that holds the one permit; null: the next borrower gets it. */
  | Readonly<{ kind: 'half-open'; trial: number | null; pauseMs: number }>
  /** It answers again: its connections come back by and by, not all at once. */
  | Readonly<{ kind: 'recovering'; failures: number; sinceMs: number; answers: number }>;

export type BreakerTerms = Readonly<{ failures: number; maxPauseMs: number }>;

/** An attempt without any RCPT reply: that thread's, while so many `others` are out. */
export type Attempt = Readonly<{ thread: number; others: number; nowMs: number }>;

export const CLOSED: Breaker = { kind: 'closed', failures: 0 };

const FIRST_PAUSE_MS = 1_000;
/** So long those that were begun together with failed ones may still show that the server answers, only not to so many. */
const DOUBT_MS = 1_000;
/** A server that comes back may have twice as many connections after each step, and one more for each sign that it answers. */
const STEP_MS = 250;
/** By then it may have more than any profile allows. */
const RECOVERED_MS = 8 * STEP_MS;

/** At most one permit is lent, to see how the server is. */
export function isShut(breaker: Breaker): breaker is Extract<Breaker, { kind: 'open' | 'half-open' }> {
  return breaker.kind === 'open' || breaker.kind === 'half-open';
}

/** It gave a RCPT reply. */
export function answered(breaker: Breaker, nowMs: number): Breaker {
  switch (breaker.kind) {
    case 'closed':
      return breaker.failures === 0 ? breaker : CLOSED;
    case 'doubtful':
      return CLOSED;
    case 'open':
    case 'half-open':
      return { kind: 'recovering', failures: 0, sinceMs: nowMs, answers: 1 };
    case 'recovering':
      if (nowMs - breaker.sinceMs >= RECOVERED_MS) return CLOSED;
      return { ...breaker, failures: 0, answers: breaker.answers + 1 };
  }
}

/** A connection is over, and it never gave a RCPT reply though it was there for one. */
export function failed(breaker: Breaker, { thread, others, nowMs }: Attempt, terms: BreakerTerms): Breaker {
  switch (breaker.kind) {
    case 'closed':
    case 'recovering': {
      const failures = breaker.failures + 1;
      if (failures < terms.failures) return { ...breaker, failures };
      return others > 0 ? { kind: 'doubtful', untilMs: nowMs + DOUBT_MS } : opened(FIRST_PAUSE_MS, nowMs, terms);
    }
    case 'doubtful':
      return others > 0 ? breaker : opened(FIRST_PAUSE_MS, nowMs, terms);
    case 'open':
      return breaker;
    case 'half-open':
      // An older connection that ends now says nothing about the trial, unless the thread of the trial holds both: then it is taken for it.
      return breaker.trial === thread ? opened(breaker.pauseMs * 2, nowMs, terms) : breaker;
  }
}

/** A connection is over that served, or was not needed. */
export function ended(breaker: Breaker, { thread, others, nowMs }: Attempt, terms: BreakerTerms): Breaker {
  if (breaker.kind === 'doubtful' && others === 0) return opened(FIRST_PAUSE_MS, nowMs, terms);
  return breaker.kind === 'half-open' && breaker.trial === thread ? { ...breaker, trial: null } : breaker;
}

/** Doubts have an end: who has not answered by then counts for nothing. */
export function decided(breaker: Breaker, nowMs: number, terms: BreakerTerms): Breaker {
  if (breaker.kind !== 'doubtful' || nowMs < breaker.untilMs) return breaker;
  return opened(FIRST_PAUSE_MS, nowMs, terms);
}

/** How many connections it may have by now, but for the one that tries an open one. */
export function connectionsAt(breaker: Breaker, nowMs: number): number {
  if (breaker.kind === 'closed') return Number.POSITIVE_INFINITY;
  if (breaker.kind !== 'recovering') return 0;
  return breaker.answers + 2 ** Math.floor((nowMs - breaker.sinceMs) / STEP_MS);
}

/** When a recovering one may have more without another answer. */
export function nextStepMs(breaker: Extract<Breaker, { kind: 'recovering' }>, nowMs: number): number {
  return nowMs + STEP_MS - ((nowMs - breaker.sinceMs) % STEP_MS);
}

function opened(pauseMs: number, nowMs: number, { maxPauseMs }: BreakerTerms): Breaker {
  const bounded = Math.min(pauseMs, maxPauseMs);
  return { kind: 'open', untilMs: nowMs + bounded, pauseMs: bounded };
}
