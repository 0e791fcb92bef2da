/** Upper bounds in seconds, for everything that has a deadline of at most four minutes (SPEC 2). What is above the last one is in a place of its own. */
export const SECONDS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 240,
];

/** How often something took how long: `counts` has one place for each of `SECONDS`, and one for what took longer. Plain data, counted in place. */
export type Histogram = { readonly counts: number[]; sumSeconds: number };

export function createHistogram(): Histogram {
  return { counts: new Array<number>(SECONDS.length + 1).fill(0), sumSeconds: 0 };
}

export function observe(histogram: Histogram, seconds: number): void {
  let place = 0;
  while (place < SECONDS.length && seconds > (SECONDS[place] ?? 0)) place++;
  histogram.counts[place] = (histogram.counts[place] ?? 0) + 1;
  histogram.sumSeconds += seconds;
}

/** Adds what another one has counted. */
export function addHistogram(into: Histogram, more: Readonly<{ counts: readonly number[]; sumSeconds: number }>): void {
  for (const [place, count] of more.counts.entries()) into.counts[place] = (into.counts[place] ?? 0) + count;
  into.sumSeconds += more.sumSeconds;
}

export function countOf({ counts }: Histogram): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** The time that `share` of them (0..1) did not exceed, in seconds, taken evenly inside a place; null where nothing was counted. */
export function quantile(histogram: Histogram, share: number): number | null {
  const all = countOf(histogram);
  if (all === 0) return null;
  const wanted = share * all;
  let below = 0;
  for (const [place, count] of histogram.counts.entries()) {
    const from = SECONDS[place - 1] ?? 0;
    // What is above the last bound has no end: its beginning is what is known.
    const to = SECONDS[place] ?? from;
    if (count > 0 && below + count >= wanted) return from + ((to - from) * Math.max(0, wanted - below)) / count;
    below += count;
  }
  return SECONDS.at(-1) ?? null;
}
