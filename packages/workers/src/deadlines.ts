import { createWheel, type Spoke } from '@callahead/core';

const TICK_MS = 10;
/** setTimeout takes 31 bits. */
const LONGEST_SLEEP_MS = 2 ** 31 - 1;

export type Deadline = Spoke<() => void>;

/** All that the main half waits for, on one timer. What is due runs at most 10 ms late. */
export type Deadlines = {
  at(deadlineMs: number, run: () => void): Deadline;
  cancel(deadline: Deadline): void;
  close(): void;
};

export function createDeadlines(now: () => number): Deadlines {
  const wheel = createWheel<() => void>(TICK_MS);
  let timer: NodeJS.Timeout | null = null;
  let wakeMs = Number.POSITIVE_INFINITY;

  function at(deadlineMs: number, run: () => void): Deadline {
    const deadline = wheel.add(deadlineMs, run);
    if (deadlineMs < wakeMs) sleep();
    return deadline;
  }

  /** The timer is left as it is: it finds nothing due and sleeps on. */
  function cancel(deadline: Deadline): void {
    wheel.cancel(deadline);
  }

  function wake(): void {
    wakeMs = Number.POSITIVE_INFINITY;
    timer = null;
    const due = wheel.expire(now());
    sleep();
    for (const run of due) run();
  }

  function sleep(): void {
    const nextMs = wheel.nextMs();
    if (nextMs === null || nextMs >= wakeMs) return;
    if (timer !== null) clearTimeout(timer);
    wakeMs = nextMs;
    timer = setTimeout(wake, Math.min(LONGEST_SLEEP_MS, Math.max(0, Math.ceil(nextMs - now()))));
  }

  function close(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    // Nothing wakes it any more: `at` keeps what it is given and forgets it.
    wakeMs = Number.NEGATIVE_INFINITY;
  }

  return { at, cancel, close };
}
