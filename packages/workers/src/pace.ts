/**
 * How fast a server answers those who wait for its sessions. Who would wait longer than he can is told so at once (SPEC 8.4): asked too late he would
 * cost a connection, which is closed at his deadline, and those who share it their time.
 */
export type Pace = Readonly<{
  /** So many wait and no session is free for them; 0: whoever comes is served. */
  queued(waiting: number): void;
  /** One more has his answer. */
  answered(): void;
  /** A session was through with all that it was given. */
  served(tookMs: number): void;
  /** How long who comes now would wait behind so many; 0 where that is not known. */
  waitMs(waiting: number): number;
  /** How long a session takes. */
  turnMs(): number;
}>;

/** A shorter time says nothing about how many are answered in a second. */
const WINDOW_MS = 500;
/** The weight of what was measured before. */
const INERTIA = 0.5;

export function createPace(now: () => number): Pace {
  /** Answers in a millisecond while others waited: only then it is as many as it can. */
  let rate = 0;
  let turnMs = 0;
  /** Since when somebody has waited all the time; null: nobody does. */
  let sinceMs: number | null = null;
  let answers = 0;

  function measure(): void {
    const passedMs = sinceMs === null ? 0 : now() - sinceMs;
    if (passedMs < WINDOW_MS) return;
    const lately = answers / passedMs;
    // One that answers nobody is silent, not slow: what becomes of that is the breaker's business, and the deadlines'.
    rate = rate === 0 || lately === 0 ? lately : INERTIA * rate + (1 - INERTIA) * lately;
    sinceMs = now();
    answers = 0;
  }

  return {
    queued(waiting) {
      measure();
      if (waiting === 0) sinceMs = null;
      else if (sinceMs === null) {
        sinceMs = now();
        answers = 0;
      }
    },
    answered() {
      answers++;
    },
    served(tookMs) {
      turnMs = INERTIA * turnMs + (1 - INERTIA) * tookMs;
    },
    waitMs: (waiting) => (rate === 0 ? 0 : waiting / rate),
    turnMs: () => turnMs,
  };
}
