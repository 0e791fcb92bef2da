/** How much is asked that nobody waits for: answers from the cache whose end is near (SPEC 2, refreshAhead). Who has a good answer need not hurry. */
import type { Verdict } from '@callahead/core';
import type { Tally } from './tally.ts';

/** At once, for one destination: about what one transaction takes. */
const MOST_REFRESHING = 100;
/** After a probe without an answer: it would be asked again at each hit. */
const REST_MS = 1000;

export type Refreshes = Readonly<{
  /** One more may be asked; then it must end. */
  begin(): boolean;
  ended(verdict: Verdict): void;
}>;

export function createRefreshes(now: () => number, tally: Pick<Tally, 'refresh'>): Refreshes {
  let refreshing = 0;
  let restUntilMs = 0;
  return {
    begin() {
      if (refreshing >= MOST_REFRESHING || now() < restUntilMs) return false;
      refreshing++;
      tally.refresh();
      return true;
    },
    ended({ kind }) {
      refreshing--;
      if (kind === 'failed' || kind === 'temporary') restUntilMs = now() + REST_MS;
    },
  };
}
