/** One timer for many deadlines: it rings at the earliest that was asked for, and is then set anew by who heard it. */
export type Alarm = Readonly<{
  /** Rings at `dueMs` or earlier. */
  by(dueMs: number): void;
  stop(): void;
}>;

const LONGEST_TIMER_MS = 2 ** 30;

/** It rings `lateMs` after the deadline, so that many close ones are one ring. */
export function createAlarm(now: () => number, lateMs: number, ring: () => void): Alarm {
  let atMs = Number.POSITIVE_INFINITY;
  let timer: NodeJS.Timeout | null = null;

  function by(dueMs: number): void {
    if (dueMs >= atMs) return;
    if (timer !== null) clearTimeout(timer);
    atMs = dueMs;
    timer = setTimeout(heard, Math.min(Math.max(0, dueMs - now()) + lateMs, LONGEST_TIMER_MS));
  }

  function heard(): void {
    atMs = Number.POSITIVE_INFINITY;
    timer = null;
    ring();
  }

  function stop(): void {
    if (timer !== null) clearTimeout(timer);
    // Nothing is due any more.
    atMs = Number.NEGATIVE_INFINITY;
  }

  return { by, stop };
}
