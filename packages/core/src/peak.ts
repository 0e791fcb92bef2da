/** The highest of the numbers that were added lately. */
export type Peak = Readonly<{ add(value: number): void; read(): number }>;

/** Remembers for at least `windowMs`, and at most twice as long. */
export function createPeak(windowMs: number, now: () => number): Peak {
  let sinceMs = now();
  let current = 0;
  let previous = 0;

  function turn(): void {
    const passedMs = now() - sinceMs;
    if (passedMs < windowMs) return;
    previous = passedMs < 2 * windowMs ? current : 0;
    current = 0;
    sinceMs = now();
  }

  return {
    add(value) {
      turn();
      current = Math.max(current, value);
    },
    read() {
      turn();
      return Math.max(current, previous);
    },
  };
}
