import { count, time } from '../words.ts';
import { exitOf, KINDS, type ResultKind } from './result.ts';

/** What was met so far. */
export type Tally = Readonly<{
  add(kind: ResultKind): void;
  total(): number;
  /** The worst met: 3 over 1 over 0 (SPEC 1.4). */
  exit(): number;
  /** `3 recipients: 2 valid, 1 unknown` */
  words(): string;
}>;

export function createTally(): Tally {
  const counts = new Map<ResultKind, number>();
  let total = 0;
  return {
    add(kind) {
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      total++;
    },
    total: () => total,
    exit: () => Math.max(0, ...[...counts.keys()].map(exitOf)),
    words() {
      const met = KINDS.filter((kind) => counts.has(kind)).map((kind) => `${count(counts.get(kind) ?? 0)} ${kind}`);
      return [`${count(total)} ${total === 1 ? 'recipient' : 'recipients'}`, met.join(', ')]
        .filter((words) => words !== '')
        .join(': ');
    },
  };
}

/** How many there were in which time; `before`: those of an earlier run. */
export function pace(total: number, before: number, tookMs: number): string {
  const asked = total - before;
  const earlier = before === 0 ? '' : `, ${count(before)} of them by an earlier run`;
  return `${time(tookMs)}, ${count(asked / Math.max(0.001, tookMs / 1_000))} a second${earlier}`;
}
