/** How the connections of one server are shared out among the threads: how many each holds, waits for and was asked to give back. */
export type Shares = Readonly<{
  held: Map<number, number>;
  /** The thread that comes first is served next and then goes to the end. */
  waiting: Map<number, number>;
  recalled: Map<number, number>;
}>;

/** The thread that has most to give, less what it was asked for; null: none has any. */
export function biggestHolder({ held, recalled }: Shares): number | null {
  let holder: number | null = null;
  let most = 0;
  for (const [thread, permits] of held) {
    const left = permits - (recalled.get(thread) ?? 0);
    if (left <= most) continue;
    most = left;
    holder = thread;
  }
  return holder;
}

/** A thread that waits has nothing, or clearly less than another. */
export function isPressing({ held, waiting }: Shares): boolean {
  const most = Math.max(0, ...held.values());
  for (const thread of waiting.keys()) {
    const permits = held.get(thread) ?? 0;
    if (permits === 0 || most - permits >= 2) return true;
  }
  return false;
}

export function sum(counts: ReadonlyMap<number, number>): number {
  let total = 0;
  for (const count of counts.values()) total += count;
  return total;
}

/** Counts up or down; a thread with nothing left is taken out. */
export function add(counts: Map<number, number>, thread: number, change: number): void {
  const count = (counts.get(thread) ?? 0) + change;
  if (count <= 0) counts.delete(thread);
  else counts.set(thread, count);
}
