/** What the charts draw: how the counters of successive readings differ. */
import type { Reading, ReadingsTold } from './contract.ts';

export const KINDS = ['valid', 'unknown', 'refused', 'temporary', 'failed'] as const;
export type Kind = (typeof KINDS)[number];

/** One point in time; null where nothing is known: before the second reading, in a gap, or of what did not happen. Rates are per second. */
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
  /** What is known already is skipped: a stream that begins again tells the past again. */
  add(told: ReadingsTold): void;
  /** Oldest first; another array after each `add`. */
  samples(): readonly Sample[];
}>;

type Point = Reading & Readonly<{ atMs: number }>;

/** A rate is that of the last seconds, a percentile or ratio that of the last half minute: fewer would say nothing. */
const RATE_MS = 5_500;
const SHARE_MS = 30_500;
/** Readings are taken once a second; after so long a line is not drawn through. */
const GAP_MS = 5_000;

/** Keeps the last `most` points. */
export function createHistory(most: number): History {
  let samples: Sample[] = [];
  /** What the next point may be compared with. */
  let window: readonly Point[] = [];
  let startedAt = '';

  function add(told: ReadingsTold): void {
    const isSame = told.startedAt === startedAt;
    const lastId = isSame ? (window.at(-1)?.id ?? 0) : 0;
    const fresh = told.readings.filter(({ id }) => id > lastId);
    samples = [...samples];
    for (const [place, reading] of fresh.entries()) addOne(reading, told.leSeconds, isSame || place > 0);
    samples = samples.slice(-most);
    startedAt = told.startedAt;
  }

  function addOne(reading: Reading, leSeconds: ReadingsTold['leSeconds'], isSame: boolean): void {
    const point = { ...reading, atMs: Date.parse(reading.at) };
    const last = window.at(-1);
    const passedMs = last === undefined ? 0 : point.atMs - last.atMs;
    // A clock that was set back: a line does not turn round.
    if (passedMs < 0) samples = samples.filter(({ atSeconds }) => atSeconds * 1_000 < point.atMs);
    const isContinued = isSame && passedMs >= 0 && passedMs < GAP_MS;
    if (last !== undefined && passedMs > 1 && !isContinued) samples.push(gapAt((last.atMs + 1) / 1_000));
    window = isContinued ? window.filter(({ atMs }) => point.atMs - atMs < SHARE_MS) : [];
    samples.push(sampleOf(point, window, leSeconds));
    window = [...window, point];
  }

  return { add, samples: () => samples };
}

function sampleOf(point: Point, window: readonly Point[], leSeconds: ReadingsTold['leSeconds']): Sample {
  const since = window.find(({ atMs }) => point.atMs - atMs < RATE_MS);
  const far = window[0];
  const seconds = since === undefined ? 0 : (point.atMs - since.atMs) / 1_000;
  const rate = (now: number, then: number): number => (seconds === 0 ? 0 : Math.max(0, now - then) / seconds);
  const took = far === undefined ? [] : point.took.map((count, place) => count - (far.took[place] ?? 0));
  const answers = far === undefined ? 0 : answersOf(point) - answersOf(far);
  return {
    atSeconds: point.atMs / 1_000,
    rates: since === undefined ? null : ratesOf((kind) => rate(point.verdicts[kind], since.verdicts[kind])),
    p50: quantile(leSeconds, took, 0.5),
    p95: quantile(leSeconds, took, 0.95),
    p99: quantile(leSeconds, took, 0.99),
    hitRatio: far === undefined || answers <= 0 ? null : (point.hits - far.hits) / answers,
    sessions: point.sessions,
    messages: since === undefined ? null : rate(point.messages, since.messages),
  };
}

function gapAt(atSeconds: number): Sample {
  const nothing = { p50: null, p95: null, p99: null, hitRatio: null, sessions: null, messages: null };
  return { atSeconds, rates: null, ...nothing };
}

function answersOf({ verdicts }: Reading): number {
  return KINDS.reduce((sum, kind) => sum + verdicts[kind], 0);
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

/** Seconds, of cumulative counts; null where nothing was counted. Within a bucket values are taken to be spread evenly; beyond the last edge it is that edge. */
export function quantile(
  leSeconds: ReadingsTold['leSeconds'],
  counts: readonly number[],
  share: number,
): number | null {
  const all = counts.at(-1) ?? 0;
  if (all <= 0) return null;
  const wanted = share * all;
  let edge = 0;
  let below = 0;
  for (const [place, count] of counts.entries()) {
    const next = leSeconds[place] ?? null;
    if (next === null) return edge;
    if (count >= wanted) return edge + ((next - edge) * (wanted - below)) / Math.max(1, count - below);
    edge = next;
    below = count;
  }
  return edge;
}
