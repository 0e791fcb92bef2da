/** What happened between two snapshots of the same gateway. */
import type { Latency, ProfileState, ServerState, Snapshot, Verdicts } from './snapshot.ts';

/** A second each; `hitRatio` null: there was nothing to hit. Percentiles in seconds, null where nothing was measured, also not before. */
export type ProfileRates = Readonly<{ verdicts: Verdicts; total: number; hitRatio: number | null }> & Percentiles;
export type ServerRates = Readonly<{ probes: number }> & Percentiles;
export type Percentiles = Readonly<{ p50: number | null; p95: number | null; p99: number | null }>;

export type Rates = Readonly<{
  profile(profile: ProfileState): ProfileRates;
  server(server: ServerState): ServerRates;
}>;

const KINDS = ['valid', 'unknown', 'refused', 'temporary', 'failed'] as const;
const NONE: Verdicts = { valid: 0, unknown: 0, refused: 0, temporary: 0, failed: 0 };
const FROM_CACHES = ['cache', 'shared'] as const;

/** `before` null, or of a gateway that has been started anew since: what happened from its start on. */
export function ratesOf(now: Snapshot, earlier: Snapshot | null): Rates {
  const before = earlier?.startedAt === now.startedAt ? earlier : null;
  const seconds = Math.max(0.001, now.uptimeSeconds - (before?.uptimeSeconds ?? 0));

  return {
    profile(profile) {
      const old = before?.profiles.find(({ name }) => name === profile.name) ?? null;
      const verdicts = differences(profile.verdicts, old?.verdicts ?? NONE);
      const total = sum(verdicts);
      const hits = FROM_CACHES.map((source) => (profile.sources[source] ?? 0) - (old?.sources[source] ?? 0));
      return {
        verdicts: perSecond(verdicts, seconds),
        total: total / seconds,
        hitRatio: total > 0 ? Math.min(1, hits.reduce((all, one) => all + one, 0) / total) : null,
        ...percentiles(profile.latency, old?.latency ?? null),
      };
    },
    server(server) {
      const isSame = (one: ServerState): boolean => one.server === server.server && one.profile === server.profile;
      const old = before?.servers.find(isSame) ?? null;
      return {
        probes: sum(differences(server.probes, old?.probes ?? NONE)) / seconds,
        ...percentiles(server.latency, old?.latency ?? null),
      };
    },
  };
}

export function sum(verdicts: Verdicts): number {
  return KINDS.reduce((all, kind) => all + verdicts[kind], 0);
}

function differences(now: Verdicts, before: Verdicts): Verdicts {
  return mapped((kind) => Math.max(0, now[kind] - before[kind]));
}

function perSecond(verdicts: Verdicts, seconds: number): Verdicts {
  return mapped((kind) => verdicts[kind] / seconds);
}

function mapped(of: (kind: (typeof KINDS)[number]) => number): Verdicts {
  return {
    valid: of('valid'),
    unknown: of('unknown'),
    refused: of('refused'),
    temporary: of('temporary'),
    failed: of('failed'),
  };
}

/** Of what was measured since; of all where that is nothing. */
function percentiles(now: Latency, before: Latency | null): Percentiles {
  const isNew = before !== null && now.count > before.count && before.buckets.length === now.buckets.length;
  const count = isNew ? now.count - before.count : now.count;
  const upTo = now.buckets.map((bucket, i) => ({
    leSeconds: bucket.leSeconds,
    count: bucket.count - (isNew ? (before.buckets[i]?.count ?? 0) : 0),
  }));
  const at = (share: number): number | null => quantile(upTo, count * share);
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

/** In the bucket that holds the one of this rank it is taken to lie as far as its rank does. */
function quantile(upTo: Latency['buckets'], rank: number): number | null {
  let fromSeconds = 0;
  let below = 0;
  for (const { leSeconds, count } of upTo) {
    if (rank > 0 && count >= rank) {
      if (leSeconds === null) return fromSeconds;
      return fromSeconds + ((leSeconds - fromSeconds) * (rank - below)) / (count - below);
    }
    fromSeconds = leSeconds ?? fromSeconds;
    below = count;
  }
  return null;
}
