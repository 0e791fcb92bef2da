/** One item waiting for its deadline. Opaque: only the wheel that made it can use it. */
export type Spoke<Item> = Readonly<{ item: Item; tick: number }>;

/**
 * Deadlines by the tick they fall in. Adding and cancelling cost the same however many wait, and a cancelled item is not kept until its
 * deadline: most deadlines are cancelled. An item expires never early and at most one tick late.
 */
export type Wheel<Item> = {
  add(deadlineMs: number, item: Item): Spoke<Item>;
  /** False where the item has expired or was cancelled before. */
  cancel(spoke: Spoke<Item>): boolean;
  /** Takes out the items whose deadline is over, the earliest tick first. */
  expire(nowMs: number): Item[];
  /** When to call `expire` next; null: nothing waits. */
  nextMs(): number | null;
  size(): number;
};

export function createWheel<Item>(tickMs: number): Wheel<Item> {
  const ticks = new Map<number, Set<Spoke<Item>>>();
  let size = 0;
  /** No item is in an earlier tick. */
  let first = Number.POSITIVE_INFINITY;

  function add(deadlineMs: number, item: Item): Spoke<Item> {
    const spoke = { item, tick: Math.ceil(deadlineMs / tickMs) };
    const together = ticks.get(spoke.tick);
    if (together === undefined) ticks.set(spoke.tick, new Set([spoke]));
    else together.add(spoke);
    first = Math.min(first, spoke.tick);
    size++;
    return spoke;
  }

  function cancel(spoke: Spoke<Item>): boolean {
    const together = ticks.get(spoke.tick);
    if (together === undefined || !together.delete(spoke)) return false;
    if (together.size === 0) ticks.delete(spoke.tick);
    size--;
    return true;
  }

  function expire(nowMs: number): Item[] {
    const due = Math.floor(nowMs / tickMs);
    const expired: Item[] = [];
    for (seek(); first <= due; seek()) {
      for (const spoke of ticks.get(first) ?? []) expired.push(spoke.item);
      ticks.delete(first);
    }
    size -= expired.length;
    return expired;
  }

  function nextMs(): number | null {
    seek();
    return Number.isFinite(first) ? first * tickMs : null;
  }

  /** Moves `first` to the earliest tick that has items: step by step while they are dense, else by looking at all. */
  function seek(): void {
    if (ticks.size === 0) {
      first = Number.POSITIVE_INFINITY;
      return;
    }
    for (let steps = 0; !ticks.has(first); steps++) {
      if (steps >= ticks.size) {
        first = earliest(ticks.keys());
        return;
      }
      first++;
    }
  }

  return { add, cancel, expire, nextMs, size: () => size };
}

function earliest(ticks: Iterable<number>): number {
  let least = Number.POSITIVE_INFINITY;
  for (const tick of ticks) least = Math.min(least, tick);
  return least;
}
