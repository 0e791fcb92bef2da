/** What all threads have counted, summed up in the main half. */
import {
  addHistogram,
  addVerdicts,
  createHistogram,
  createPeak,
  type DestinationCounts,
  type DestinationTotals,
  loanName,
  noVerdicts,
  OTHERS,
  type Peak,
  type Route,
  type ServerTotals,
  type ToMain,
  type Totals,
  type VerdictCounts,
  type Vitals,
} from '@callahead/core';
import { createBusiest } from './busiest.ts';

const MOST_DESTINATIONS = 100;
const MOST_SERVERS = 200;
const LAG_WINDOW_MS = 10_000;

export type Tallies = Readonly<{
  /** `routeOf` the numbers in it. What is about a destination that is forgotten is forgotten with it. */
  add(thread: number, counts: Extract<ToMain, { kind: 'counts' }>): void;
  /** The thread is dead. */
  lost(thread: number): void;
  totals(): Totals;
  vitals(): readonly Vitals[];
}>;

export type TalliesOptions = Readonly<{ routeOf: (destination: number) => Route | null; now: () => number }>;

type Counted = { -readonly [Key in keyof DestinationTotals]: DestinationTotals[Key] };

export function createTallies({ routeOf, now }: TalliesOptions): Tallies {
  const threads = new Map<number, Readonly<{ heapBytes: number; lagMs: Peak }>>();
  const destinations = createBusiest<Counted>({
    most: MOST_DESTINATIONS,
    now,
    create(name) {
      const { profile, rest } = taken(name);
      return { profile, destination: rest, verdicts: noVerdicts(), cached: 0, refreshed: 0, stale: 0 };
    },
  });
  const servers = createBusiest<ServerTotals>({
    most: MOST_SERVERS,
    now,
    create(name) {
      const { profile, rest } = taken(name);
      return { profile, server: rest, probes: noVerdicts(), took: createHistogram() };
    },
  });

  function add(thread: number, { destinations: counted, heapBytes, lagMs }: Parameters<Tallies['add']>[1]): void {
    const peak = threads.get(thread)?.lagMs ?? createPeak(LAG_WINDOW_MS, now);
    peak.add(lagMs);
    threads.set(thread, { heapBytes, lagMs: peak });
    for (const counts of counted) {
      const route = routeOf(counts.destination);
      if (route !== null) addCounts(route, counts);
    }
  }

  function addCounts(
    { profile, key }: Route,
    { verdicts, cached, refreshed, stale, servers: said }: DestinationCounts,
  ): void {
    const rest = loanName(profile, OTHERS);
    const total = destinations.of(loanName(profile, key), rest, sum(verdicts));
    addVerdicts(total.verdicts, verdicts);
    total.cached += cached;
    total.refreshed += refreshed;
    total.stale += stale;
    for (const { server, probes, took } of said) {
      const one = servers.of(loanName(profile, server), rest, sum(probes));
      addVerdicts(one.probes, probes);
      addHistogram(one.took, took);
    }
  }

  return {
    add,
    lost: (thread) => void threads.delete(thread),
    totals: () => ({ destinations: destinations.all(), servers: servers.all() }),
    vitals: () => [...threads].map(([thread, { heapBytes, lagMs }]) => ({ thread, heapBytes, lagMs: lagMs.read() })),
  };
}

/** The name of a profile has no space (`named`). */
function taken(name: string): Readonly<{ profile: string; rest: string }> {
  const space = name.indexOf(' ');
  return { profile: name.slice(0, space), rest: name.slice(space + 1) };
}

function sum({ valid, unknown, refused, temporary, failed }: VerdictCounts): number {
  return valid + unknown + refused + temporary + failed;
}
