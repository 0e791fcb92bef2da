import { createWheel, type Spoke } from '@callahead/core';

const TICK_MS = 10;
/** setTimeout takes 31 bits. */
const LONGEST_SLEEP_MS = 2 ** 31 - 1;

export type Deadline<Item> = Spoke<Item>;

/** Many deadlines on one timer. What is due is told at most 10 ms late. */
export type Deadlines<Item> = {
  at(deadlineMs: number, item: Item): Deadline<Item>;
  cancel(deadline: Deadline<Item>): void;
  close(): void;
};

export function createDeadlines<Item>(now: () => number, due: (item: Item) => void): Deadlines<Item> {
  const wheel = createWheel<Item>(TICK_MS);
  let timer: NodeJS.Timeout | null = null;
  let wakeMs = Number.POSITIVE_INFINITY;

  function at(deadlineMs: number, item: Item): Deadline<Item> {
    const deadline = wheel.add(deadlineMs, item);
    if (deadlineMs < wakeMs) sleep();
    return deadline;
  }

  /** The timer is left as it is: it finds nothing due and sleeps on. */
  function cancel(deadline: Deadline<Item>): void {
    wheel.cancel(deadline);
  }

  function wake(): void {
    wakeMs = Number.POSITIVE_INFINITY;
    timer = null;
    const expired = wheel.expire(now());
    sleep();
    for (const item of expired) due(item);
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
