/** Figures and times as people read them. */
const GROUPED = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const COMPACT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

export const NOTHING = '–';

/** A number of things: `1,234`, `12.3K` from a hundred thousand on. */
export function count(value: number): string {
  return value < 100_000 ? GROUPED.format(value) : COMPACT.format(value);
}

/** Per second: two figures below ten. */
export function rate(value: number | null): string {
  if (value === null) return NOTHING;
  if (value === 0) return '0';
  if (value < 0.095) return '<0.1';
  return value < 9.95 && !Number.isInteger(value) ? value.toFixed(1) : count(Math.round(value));
}

/** A duration that was measured: `430 µs`, `12 ms`, `1.3 s`, `2 min`. */
export function took(seconds: number | null): string {
  if (seconds === null) return NOTHING;
  if (seconds < 0.001) return `${Math.round(seconds * 1_000_000)} µs`;
  if (seconds < 0.01) return `${(seconds * 1_000).toFixed(1)} ms`;
  if (seconds < 0.9995) return `${Math.round(seconds * 1_000)} ms`;
  return seconds < 120 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds / 60)} min`;
}

const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
] as const;

/** A span of time in its two largest units: `3 d 4 h`, `12 min`. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const place = UNITS.findIndex(([, size]) => whole >= size);
  const [unit, size] = UNITS[place] ?? ['s', 1];
  const [next, nextSize] = UNITS[place + 1] ?? ['s', 1];
  const left = Math.floor((whole % size) / nextSize);
  const first = `${Math.floor(whole / size)} ${unit}`;
  return left === 0 || unit === next ? first : `${first} ${left} ${next}`;
}

export function share(value: number | null): string {
  if (value === null) return NOTHING;
  const percent = value * 100;
  return percent > 99.5 && percent < 100 ? '>99 %' : `${Math.round(percent)} %`;
}

export function bytes(value: number): string {
  if (value < 1_000) return `${value} B`;
  if (value < 999_500) return `${Math.round(value / 1_000)} kB`;
  if (value < 999_500_000) return `${(value / 1_000_000).toFixed(value < 9_950_000 ? 1 : 0)} MB`;
  return `${(value / 1_000_000_000).toFixed(1)} GB`;
}

/** The time of day here, of an instant as ISO 8601 or in seconds since 1970. */
export function clock(instant: string | number): string {
  const date = typeof instant === 'number' ? new Date(instant * 1_000) : new Date(instant);
  return date.toLocaleTimeString('en-GB', { hour12: false });
}

/** `1 verdict`, `2 verdicts`. */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}
