import { createRow, type Row } from './row.ts';

/** One item waiting for its deadline. Opaque: only the wheel that made it can use it. */
export type Spoke<Item> = {
  readonly item: Item;
  readonly tick: number;
  waits: boolean;
  before: Spoke<Item> | null;
  after: Spoke<Item> | null;
};

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
  const ticks = new Map<number, Row<Spoke<Item>>>();
  let size = 0;
  /** No item is in an earlier tick. */
  let first = Number.POSITIVE_INFINITY;

  function add(deadlineMs: number, item: Item): Spoke<Item> {
    const tick = Math.ceil(deadlineMs / tickMs);
    const spoke: Spoke<Item> = { item, tick, waits: true, before: null, after: null };
    rowOf(tick).append(spoke);
    first = Math.min(first, tick);
    size++;
    return spoke;
  }

  function rowOf(tick: number): Row<Spoke<Item>> {
    const known = ticks.get(tick);
    if (known !== undefined) return known;
    const row = createRow<Spoke<Item>>();
    ticks.set(tick, row);
    return row;
  }

  function cancel(spoke: Spoke<Item>): boolean {
    if (!spoke.waits) return false;
    spoke.waits = false;
    const row = ticks.get(spoke.tick);
    row?.remove(spoke);
    if (row?.first() === null) ticks.delete(spoke.tick);
    size--;
    return true;
  }

  function expire(nowMs: number): Item[] {
    const due = Math.floor(nowMs / tickMs);
    const expired: Item[] = [];
    for (seek(); first <= due; seek()) {
      for (let spoke = ticks.get(first)?.first() ?? null; spoke !== null; spoke = spoke.after) {
        spoke.waits = false;
        expired.push(spoke.item);
      }
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
