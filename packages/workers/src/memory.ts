/** What one destination remembers of its recipients: the cache of its profile, by the rules of its newest route (SPEC 4.6, 4.10). */
import type { Route, Verdict } from '@callahead/core';
import { type Kept, mailboxOf, timeToLive, type VerdictCache } from './cache.ts';
import type { Query } from './query.ts';
import type { Tally } from './tally.ts';
import { isBest } from './walk.ts';

export type Memory = Readonly<{
  recall(recipient: string): Kept | null;
  /** A hit so close to its end that it is asked anew (SPEC 2, refreshAhead). An answer that is short-lived anyway never is. */
  ages(kept: Kept): boolean;
  /** Keeps what a probe found out, if it may be kept; says for how long it would be. */
  keep(query: Query, verdict: Verdict): number;
  /** A yes counts from a server of this destination that is no backup (SPEC 7.6, 4.6), a no from whoever the mail was for. */
  learn(recipient: string, verdict: Verdict): void;
  /** What is told: a known-good answer whose time is over, where no server answers any more and the profile wants it; else the verdict itself. */
  orStale(recipient: string, verdict: Verdict): Verdict;
  /** Equal ones are one question. */
  questionOf(recipient: string): string;
  /** Counts the flushes: a flush beats what was asked before it. */
  generation(): number;
}>;

export type MemoryOptions = Readonly<{
  route: () => Route;
  cache: VerdictCache;
  tally: Pick<Tally, 'stale'>;
  now: () => number;
}>;

export function createMemory({ route, cache, tally, now }: MemoryOptions): Memory {
  function recall(recipient: string): Kept | null {
    return cache.get(route().key, recipient, route().probe);
  }

  function ages({ storedAtMs, expiresAtMs }: Kept): boolean {
    const { refreshAheadMs } = route().probe;
    return refreshAheadMs > 0 && refreshAheadMs < expiresAtMs - storedAtMs && now() >= expiresAtMs - refreshAheadMs;
  }

  function keep(query: Query, verdict: Verdict): number {
    const { key, probe } = route();
    if (isFromBackup(verdict)) return 0;
    if (query.generation === cache.generation() && !query.fresh) cache.put(key, query.recipient, verdict, probe);
    return timeToLive(verdict, probe);
  }

  function learn(recipient: string, verdict: Verdict): void {
    if (!isFromBackup(verdict)) cache.put(route().key, recipient, verdict, route().probe);
  }

  function isFromBackup(verdict: Verdict): boolean {
    return verdict.kind === 'valid' && !isBest(route(), verdict.server);
  }

  function orStale(recipient: string, verdict: Verdict): Verdict {
    // Neither may let anybody in (SPEC 4.8): no room is no news about the servers, and a loop is ours to mend.
    if (verdict.kind !== 'failed' || verdict.cause === 'overload' || verdict.cause === 'loop') return verdict;
    const stale = cache.stale(route().key, recipient, route().probe);
    if (stale !== null) tally.stale();
    return stale ?? verdict;
  }

  return {
    recall,
    ages,
    keep,
    learn,
    orStale,
    questionOf: (recipient) => mailboxOf(recipient, route().probe),
    generation: cache.generation,
  };
}
