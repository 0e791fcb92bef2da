/** Time that passes when a test says so. */
export type Timers = Readonly<{
  now: () => number;
  later: (afterMs: number, call: () => void) => () => void;
  /** Lets time pass, calls what is due in its order, and lets what it began go on. */
  pass(ms: number): Promise<void>;
  waiting(): number;
}>;

export function createTimers(): Timers {
  const waiting = new Set<{ atMs: number; call: () => void }>();
  let nowMs = 1_000;

  function later(afterMs: number, call: () => void): () => void {
    const timer = { atMs: nowMs + afterMs, call };
    waiting.add(timer);
    return () => void waiting.delete(timer);
  }

  async function pass(ms: number): Promise<void> {
    const untilMs = nowMs + ms;
    for (;;) {
      const [first] = [...waiting].sort((a, b) => a.atMs - b.atMs);
      if (first === undefined || first.atMs > untilMs) break;
      nowMs = first.atMs;
      waiting.delete(first);
      first.call();
      await new Promise(setImmediate);
    }
    nowMs = untilMs;
  }

  return { now: () => nowMs, later, pass, waiting: () => waiting.size };
}
