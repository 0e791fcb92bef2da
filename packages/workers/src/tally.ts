/** What an actor counts of its destination: plain numbers, taken once a second. */
import {
  createHistogram,
  type DestinationCounts,
  type Histogram,
  noVerdicts,
  observe,
  type Verdict,
  type VerdictCounts,
} from '@callahead/core';
import type { Outcome, Query } from './query.ts';

export type Tally = Readonly<{
  /** A verdict was given to one who waited. */
  verdict(verdict: Verdict): void;
  /** The server whose turn it was has said what it had to say, or was silent too long. */
  probe(query: Query, server: string, kind: Outcome['kind']): void;
  /** A cached answer is asked for anew before its end (SPEC 2, refreshAhead). */
  refresh(): void;
  /** An answer whose time is over was given, for no server answers (SPEC 2, staleIfError). */
  stale(): void;
  /** What was counted since the last time; null: nothing. */
  take(): DestinationCounts | null;
}>;

type Counted = {
  verdicts: VerdictCounts;
  cached: number;
  refreshed: number;
  stale: number;
  servers: Map<string, ServerCounts>;
};
type ServerCounts = Readonly<{ probes: VerdictCounts; took: Histogram }>;

export function createTally(destination: number, now: () => number): Tally {
  let counted: Counted | null = null;

  function verdict({ kind, source }: Verdict): void {
    counted ??= nothing();
    counted.verdicts[kind]++;
    if (source === 'cache' || source === 'shared') counted.cached++;
  }

  function probe({ at }: Query, server: string, kind: Outcome['kind']): void {
    if (at.kind !== 'server') return;
    counted ??= nothing();
    let counts = counted.servers.get(server);
    if (counts === undefined) {
      counts = { probes: noVerdicts(), took: createHistogram() };
      counted.servers.set(server, counts);
    }
    counts.probes[kind]++;
    observe(counts.took, (now() - at.attempt.startedMs) / 1_000);
  }

  function refresh(): void {
    counted ??= nothing();
    counted.refreshed++;
  }

  function stale(): void {
    counted ??= nothing();
    counted.stale++;
  }

  function take(): DestinationCounts | null {
    if (counted === null) return null;
    const { servers, ...counts } = counted;
    counted = null;
    return { destination, ...counts, servers: [...servers].map(([server, said]) => ({ server, ...said })) };
  }

  return { verdict, probe, refresh, stale, take };
}

function nothing(): Counted {
  return { verdicts: noVerdicts(), cached: 0, refreshed: 0, stale: 0, servers: new Map() };
}
