/** What the charts draw: how the counters of successive snapshots differ. */
import type { Latency, Status } from './contract.ts';

export const KINDS = ['valid', 'unknown', 'refused', 'temporary', 'failed'] as const;
export type Kind = (typeof KINDS)[number];

/** One point in time; null where nothing is known: before the second snapshot, in a gap, or of what did not happen. Rates are per second. */
export type Sample = Readonly<{
  atSeconds: number;
  rates: Readonly<Record<Kind, number>> | null;
  p50: number | null;
  p95: number | null;
  p99: number | null;
  hitRatio: number | null;
  sessions: number | null;
  messages: number | null;
}>;

export type History = Readonly<{
  /** `atMs`: milliseconds since 1970. */
  add(status: Status, atMs: number): void;
  /** Oldest first; another array after each `add`. */
  samples(): readonly Sample[];
}>;

type Reading = Readonly<{
  atMs: number;
  startedAt: string;
  verdicts: Readonly<Record<Kind, number>>;
  hits: number;
  answers: number;
  buckets: Latency['buckets'];
  messages: number;
  sessions: number;
}>;

/** A rate is that of the last seconds, a percentile or ratio that of the last half minute: fewer would say nothing. */
const RATE_MS = 5_500;
const SHARE_MS = 30_500;
/** Two snapshots closer than that say nothing about a rate. */
const LEAST_MS = 250;
/** Snapshots come once a second; after so long a line is not drawn through. */
const GAP_MS = 5_000;

/** Keeps the last `most` points. */
export function createHistory(most: number): History {
  let samples: readonly Sample[] = [];
  let readings: readonly Reading[] = [];

  function add(status: Status, atMs: number): void {
    const reading = readingOf(status, atMs);
    const last = readings.at(-1);
    if (last !== undefined && Math.abs(atMs - last.atMs) < LEAST_MS) return;
    const isContinued = last !== undefined && last.startedAt === reading.startedAt && atMs - last.atMs < GAP_MS;
    if (last !== undefined && !isContinued) samples = [...samples, gapAt((last.atMs + 1) / 1_000)];
    const window = isContinued ? readings.filter((one) => atMs - one.atMs < SHARE_MS) : [];
    samples = [...samples, sampleOf(reading, window)].slice(-most);
    readings = [...window, reading];
  }

  return { add, samples: () => samples };
}

function sampleOf(reading: Reading, window: readonly Reading[]): Sample {
  const since = window.find((one) => reading.atMs - one.atMs < RATE_MS);
  const far = window[0];
  const seconds = since === undefined ? 0 : (reading.atMs - since.atMs) / 1_000;
  const rate = (now: number, then: number): number => Math.max(0, now - then) / seconds;
  const buckets = far === undefined ? [] : bucketsSince(reading.buckets, far.buckets);
  const answers = far === undefined ? 0 : reading.answers - far.answers;
  return {
    atSeconds: reading.atMs / 1_000,
    rates: since === undefined ? null : ratesOf((kind) => rate(reading.verdicts[kind], since.verdicts[kind])),
    p50: quantile(buckets, 0.5),
    p95: quantile(buckets, 0.95),
    p99: quantile(buckets, 0.99),
    hitRatio: far === undefined || answers <= 0 ? null : (reading.hits - far.hits) / answers,
    sessions: reading.sessions,
    messages: since === undefined ? null : rate(reading.messages, since.messages),
  };
}

function gapAt(atSeconds: number): Sample {
  const nothing = { p50: null, p95: null, p99: null, hitRatio: null, sessions: null, messages: null };
  return { atSeconds, rates: null, ...nothing };
}

function readingOf({ startedAt, profiles, messages, listeners }: Status, atMs: number): Reading {
  const sum = (pick: (profile: Status['profiles'][number]) => number): number =>
    profiles.reduce((all, profile) => all + pick(profile), 0);
  return {
    atMs,
    startedAt,
    verdicts: ratesOf((kind) => sum(({ verdicts }) => verdicts[kind])),
    hits: sum(({ sources }) => sources.cache + sources.shared),
    answers: sum(({ sources }) => Object.values(sources).reduce((all, count) => all + count, 0)),
    buckets: sumOfBuckets(profiles.map(({ latency }) => latency.buckets)),
    messages: messages.relayed + messages.discarded,
    sessions: listeners.reduce((all, listener) => all + listener.sessions, 0),
  };
}

function ratesOf(of: (kind: Kind) => number): Record<Kind, number> {
  const [valid, unknown, refused, temporary, failed] = KINDS.map(of);
  return {
    valid: valid ?? 0,
    unknown: unknown ?? 0,
    refused: refused ?? 0,
    temporary: temporary ?? 0,
    failed: failed ?? 0,
  };
}

/** All histograms of a gateway have the same edges. */
function sumOfBuckets(all: readonly Latency['buckets'][]): Latency['buckets'] {
  const [first = [], ...others] = all;
  return first.map(({ leSeconds, count }, i) => ({
    leSeconds,
    count: others.reduce((sum, buckets) => sum + (buckets[i]?.count ?? 0), count),
  }));
}

function bucketsSince(now: Latency['buckets'], then: Latency['buckets']): Latency['buckets'] {
  return now.map(({ leSeconds, count }, i) => ({ leSeconds, count: count - (then[i]?.count ?? 0) }));
}

/** Seconds; null where nothing was counted. Within a bucket values are taken to be spread evenly; beyond the last edge it is that edge. */
export function quantile(buckets: Latency['buckets'], share: number): number | null {
  const all = buckets.at(-1)?.count ?? 0;
  if (all <= 0) return null;
  const wanted = share * all;
  let edge = 0;
  let below = 0;
  for (const { leSeconds, count } of buckets) {
    if (leSeconds === null) return edge;
    if (count >= wanted) return edge + ((leSeconds - edge) * (wanted - below)) / Math.max(1, count - below);
    edge = leSeconds;
    below = count;
  }
  return edge;
}
