/** Latencies in buckets that grow by 0.2 % each: constant memory, and any quantile within 0.1 % of what was added, for a millisecond counts among fifty. */
export type Histogram = Readonly<{
  add(ms: number): void;
  /** The latency in milliseconds that this share (0..1) of those added did not exceed; NaN where nothing was added. */
  quantile(share: number): number;
}>;

const GROWTH = Math.log(1.002);
const SMALLEST_MS = 0.001;
/** Enough for 1 µs to 10 hours. */
const BUCKETS = 12_500;

export function createHistogram(): Histogram {
  const buckets = new Uint32Array(BUCKETS);
  let count = 0;

  function add(ms: number): void {
    const bucket = Math.floor(Math.log(Math.max(ms, SMALLEST_MS) / SMALLEST_MS) / GROWTH);
    const at = Math.min(bucket, BUCKETS - 1);
    buckets[at] = (buckets[at] ?? 0) + 1;
    count++;
  }

  function quantile(share: number): number {
    if (count === 0) return Number.NaN;
    let left = Math.max(1, Math.ceil(count * share));
    for (const [bucket, size] of buckets.entries()) {
      left -= size;
      if (left <= 0) return SMALLEST_MS * Math.exp((bucket + 0.5) * GROWTH);
    }
    return Number.NaN;
  }

  return { add, quantile };
}
