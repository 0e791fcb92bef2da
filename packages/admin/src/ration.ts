/** So many a second, and some saved up. */
export type Ration = Readonly<{
  /** Takes one; or says in how many seconds there will be one. */
  take(): Readonly<{ kind: 'taken' }> | Readonly<{ kind: 'empty'; seconds: number }>;
}>;

export function createRation({
  perSecond,
  saved,
  now,
}: Readonly<{ perSecond: number; saved: number; now: () => number }>): Ration {
  let left = saved;
  let atMs = now();
  return {
    take() {
      const nowMs = now();
      left = Math.min(saved, left + ((nowMs - atMs) / 1_000) * perSecond);
      atMs = nowMs;
      if (left < 1) return { kind: 'empty', seconds: Math.ceil((1 - left) / perSecond) };
      left--;
      return { kind: 'taken' };
    },
  };
}
