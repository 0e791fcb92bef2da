/** GET /api/v1/status: what docs/api.md promises, put together from the engine's report and what was counted. */
import {
  type Configuration,
  countOf,
  createHistogram,
  type DestinationReport,
  type EngineReport,
  type Histogram,
  loanName,
  noVerdicts,
  OTHERS,
  type Profile,
  quantile,
  SECONDS,
  type ServerTotals,
  type Source,
  type VerdictCounts,
} from '@callahead/core';
import type { CanaryState } from './canary.ts';
import {
  type Counting,
  kindsOf,
  type Messages,
  messagesOf,
  noProfileCounts,
  type Offender,
  sourcesOf,
} from './counting.ts';
import type { ListenerState, State } from './operations.ts';

export type Latency = Readonly<{
  count: number;
  sumSeconds: number;
  p50Seconds: number | null;
  p95Seconds: number | null;
  p99Seconds: number | null;
  /** Cumulative; null is infinity. */
  buckets: readonly Readonly<{ leSeconds: number | null; count: number }>[];
}>;

type Sessions = Readonly<{ connecting: number; idle: number; busy: number }>;

export type ProfileStatus = Readonly<{
  name: string;
  mode: 'enforce' | 'monitor';
  verdicts: VerdictCounts;
  sources: Readonly<Record<Source, number>>;
  hitRatio: number | null;
  latency: Latency;
  cache: Readonly<{ positive: number; negative: number; size: number }>;
}>;

export type ServerStatus = Readonly<{
  profile: string;
  server: string;
  breaker: 'closed' | 'open' | 'half-open';
  leftAloneSeconds: number;
  /** What it refuses is not believed, for it refuses its canary; it accepts everybody. Both false where the profile has no canary. */
  suspended: boolean;
  catchAll: boolean;
  connections: Sessions & Readonly<{ lent: number; limit: number; waiting: number }>;
  probes: VerdictCounts;
  latency: Latency;
}>;

export type DestinationStatus = Readonly<{
  key: string;
  profile: string;
  verdicts: VerdictCounts;
  requests: number;
  hitRatio: number | null;
  /** Answers that were given past their time for `staleIfError`, and probes ahead of an answer's end for `refreshAhead`. */
  stale: number;
  refreshed: number;
  waiting: number;
  asking: number;
  sessions: Sessions;
}>;

export type Status = Readonly<{
  hostname: string;
  version: string;
  startedAt: string;
  uptimeSeconds: number;
  state: State;
  listeners: readonly (ListenerState & Readonly<{ sessionsTotal: number }>)[];
  profiles: readonly ProfileStatus[];
  servers: readonly ServerStatus[];
  /** What the canaries have found out about servers. */
  canaries: readonly CanaryState[];
  destinations: readonly DestinationStatus[];
  engine: Readonly<{ asking: number; waiting: number; destinations: number }>;
  messages: Messages;
  replies: Readonly<Record<string, number>>;
  dhap: Readonly<{ crossings: number; offenders: readonly Offender[] }>;
  threads: readonly Readonly<{ thread: string; heapBytes: number; lagSeconds: number }>[];
  residentBytes: number;
}>;

/** Everything that status and metrics are made of, at one moment. */
export type Facts = Readonly<{
  configuration: Configuration;
  version: string;
  startedAtMs: number;
  uptimeMs: number;
  state: State;
  listeners: readonly ListenerState[];
  report: EngineReport;
  canaries: readonly CanaryState[];
  counting: Counting;
  main: Readonly<{ heapBytes: number; lagMs: number; residentBytes: number; cpuSeconds: number }>;
}>;

const MOST_SERVERS = 200;

export function statusOf(facts: Facts): Status {
  const { configuration, version, startedAtMs, uptimeMs, state, report, counting, main } = facts;
  const { asking, waiting, destinations } = report;
  return {
    hostname: configuration.hostname,
    version,
    startedAt: new Date(startedAtMs).toISOString(),
    uptimeSeconds: tenths(uptimeMs / 1_000),
    state,
    listeners: facts.listeners.map((listener) => ({
      ...listener,
      sessionsTotal: counting.listeners.get(listener.name)?.sessions ?? 0,
    })),
    profiles: [...configuration.profiles.values()].map((profile) => profileStatus(profile, facts)),
    servers: serversOf(report, facts.canaries),
    canaries: facts.canaries,
    destinations: destinationsOf(report),
    engine: { asking, waiting, destinations },
    messages: messagesOf(counting),
    replies: repliesOf(counting),
    dhap: { crossings: crossingsOf(counting), offenders: counting.offenders() },
    threads: threadsOf(facts),
    residentBytes: main.residentBytes,
  };
}

function profileStatus({ name, actions, probe }: Profile, { counting, report }: Facts): ProfileStatus {
  const counts = counting.profiles.get(name) ?? noProfileCounts();
  const sources = sourcesOf(counts);
  const all = Object.values(sources).reduce((sum, count) => sum + count, 0);
  const caches = report.threads.flatMap((thread) => thread.caches.filter(({ profile }) => profile === name));
  return {
    name,
    mode: actions.mode,
    verdicts: kindsOf(counts),
    sources,
    hitRatio: ratio(sources.cache + sources.shared, all),
    latency: latencyOf(counts.took),
    cache: {
      positive: caches.reduce((sum, { positive }) => sum + positive, 0),
      negative: caches.reduce((sum, { negative }) => sum + negative, 0),
      size: probe.cacheSize,
    },
  };
}

/** Those that are asked now, and those that were: the busiest first. */
function serversOf(
  { loans, threads, totals }: EngineReport,
  canaries: readonly CanaryState[],
): readonly ServerStatus[] {
  const watched = new Map(canaries.map((canary) => [loanName(canary.profile, canary.server), canary]));
  const counted = new Map(totals.servers.map((total) => [loanName(total.profile, total.server), total]));
  const open = threads.flatMap((thread) => thread.servers);
  const present = loans.map((loan): ServerStatus => {
    const { profile, server, breaker, leftAloneMs, held: lent, maximum: limit, waiting } = loan;
    const own = open.filter((one) => one.server === server && one.profile === profile);
    return {
      profile,
      server,
      breaker,
      leftAloneSeconds: tenths(leftAloneMs / 1_000),
      suspended: watched.get(loanName(profile, server))?.suspended ?? false,
      catchAll: watched.get(loanName(profile, server))?.catchAll ?? false,
      connections: { ...sumSessions(own), lent, limit, waiting },
      ...saidBy(counted.get(loanName(profile, server))),
    };
  });
  return present.sort((a, b) => b.latency.count - a.latency.count).slice(0, MOST_SERVERS);
}

function saidBy(total: ServerTotals | undefined): Pick<ServerStatus, 'probes' | 'latency'> {
  return { probes: total?.probes ?? noVerdicts(), latency: latencyOf(total?.took ?? createHistogram()) };
}

function destinationsOf({ threads, totals }: EngineReport): readonly DestinationStatus[] {
  const shards = new Map<string, DestinationReport[]>();
  for (const shard of threads.flatMap(({ destinations }) => destinations)) {
    const known = shards.get(shard.key);
    if (known === undefined) shards.set(shard.key, [shard]);
    else known.push(shard);
  }
  const all = totals.destinations.map(
    ({ profile, destination: key, verdicts, cached, stale, refreshed }): DestinationStatus => {
      const own = key === OTHERS ? [] : (shards.get(key) ?? []);
      const requests = Object.values(verdicts).reduce((sum, count) => sum + count, 0);
      return {
        key,
        profile,
        verdicts,
        requests,
        hitRatio: ratio(cached, requests),
        stale,
        refreshed,
        waiting: own.reduce((sum, { waiting }) => sum + waiting, 0),
        asking: own.reduce((sum, { asking }) => sum + asking, 0),
        sessions: sumSessions(own.map(({ sessions }) => sessions)),
      };
    },
  );
  return all.sort((a, b) => Number(a.key === OTHERS) - Number(b.key === OTHERS) || b.requests - a.requests);
}

function sumSessions(all: readonly Sessions[]): Sessions {
  const sum = { connecting: 0, idle: 0, busy: 0 };
  for (const { connecting, idle, busy } of all) {
    sum.connecting += connecting;
    sum.idle += idle;
    sum.busy += busy;
  }
  return sum;
}

function latencyOf(histogram: Histogram): Latency {
  let below = 0;
  const buckets = histogram.counts.map((count, place) => {
    below += count;
    return { leSeconds: SECONDS[place] ?? null, count: below };
  });
  return {
    count: countOf(histogram),
    sumSeconds: histogram.sumSeconds,
    p50Seconds: quantile(histogram, 0.5),
    p95Seconds: quantile(histogram, 0.95),
    p99Seconds: quantile(histogram, 0.99),
    buckets,
  };
}

function repliesOf({ listeners }: Counting): Status['replies'] {
  const sum: Record<string, number> = {};
  for (const { replies } of listeners.values()) {
    for (const [code, count] of replies) sum[code] = (sum[code] ?? 0) + count;
  }
  return sum;
}

function crossingsOf({ listeners }: Counting): number {
  let sum = 0;
  for (const { crossings } of listeners.values()) for (const count of crossings.values()) sum += count;
  return sum;
}

/** The main thread first. */
export function threadsOf({ main, report }: Facts): Status['threads'] {
  const workers = report.vitals.toSorted((a, b) => a.thread - b.thread);
  return [
    { thread: 'main', heapBytes: main.heapBytes, lagSeconds: main.lagMs / 1_000 },
    ...workers.map(({ thread, heapBytes, lagMs }) => ({
      thread: String(thread),
      heapBytes,
      lagSeconds: lagMs / 1_000,
    })),
  ];
}

function ratio(part: number, all: number): number | null {
  return all === 0 ? null : part / all;
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}
