/** The middle one; of an even number the upper of the two, so that it is a figure that was measured. NaN of none. */
export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** `1,234`, `12.3` or `0.123`: three digits that mean something; `–` where there is no figure. */
export function figure(value: number | null): string {
  // JSON makes null of what is no number.
  if (value === null || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 100 || value === 0) return Math.round(value).toLocaleString('en');
  if (size >= 10) return value.toFixed(1);
  return size >= 1 ? value.toFixed(2) : value.toFixed(3);
}
