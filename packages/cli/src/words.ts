/** Numbers for people. */
const COUNT = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

export function count(number: number): string {
  return COUNT.format(number);
}

/** How long something takes: `42s`, `3m 07s`, `2h 05m`. */
export function time(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  const two = (number: number): string => String(number).padStart(2, '0');
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`;
  return `${Math.floor(seconds / 3_600)}h ${two(Math.floor(seconds / 60) % 60)}m`;
}
