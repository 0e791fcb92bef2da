/** What the curves of the console are drawn of: all counters once a second, and those of the last quarter of an hour, so that a page that is opened in trouble shows what led to it. */
import { addHistogram, addVerdicts, createHistogram, noVerdicts, SECONDS, type VerdictCounts } from '@callahead/core';
import { type Counting, kindsOf, messagesOf, sourcesOf } from './counting.ts';
import type { ListenerState } from './operations.ts';
import { createRing } from './ring.ts';

/** Of the whole gateway, since it started. */
export type Reading = Readonly<{
  id: number;
  at: string;
  verdicts: VerdictCounts;
  /** Verdicts from caches. */
  hits: number;
  /** Relayed or discarded. */
  messages: number;
  /** Open at that moment. */
  sessions: number;
  /** How many verdicts took at most as long as the same place of `leSeconds` says. */
  took: readonly number[];
}>;

/** `leSeconds`: null is infinity. */
export type ReadingsTold = Readonly<{
  startedAt: string;
  leSeconds: readonly (number | null)[];
  readings: readonly Reading[];
}>;

export type Readings = Readonly<{
  take(counting: Counting, listeners: readonly ListenerState[]): void;
  /** Those after `id`, oldest first. */
  since(id: number): ReadingsTold;
  /** The id of the last one. */
  total(): number;
}>;

export const READING_MS = 1_000;
const KEPT = 900;
const LE_SECONDS = [...SECONDS, null];

/** `startedAtMs` and `wallMs`: milliseconds since 1970. */
export function createReadings(startedAtMs: number, wallMs: () => number): Readings {
  const ring = createRing<Reading>(KEPT);
  const startedAt = new Date(startedAtMs).toISOString();

  function take(counting: Counting, listeners: readonly ListenerState[]): void {
    const at = new Date(wallMs()).toISOString();
    ring.add({ id: ring.total() + 1, at, ...countsOf(counting, listeners) });
  }

  function since(id: number): ReadingsTold {
    const readings: Reading[] = [];
    for (let next = Math.max(id, ring.total() - KEPT) + 1; next <= ring.total(); next++) {
      const reading = ring.at(next);
      if (reading !== undefined) readings.push(reading);
    }
    return { startedAt, leSeconds: LE_SECONDS, readings };
  }

  return { take, since, total: ring.total };
}

function countsOf(counting: Counting, listeners: readonly ListenerState[]): Omit<Reading, 'id' | 'at'> {
  const verdicts = noVerdicts();
  const took = createHistogram();
  let hits = 0;
  for (const profile of counting.profiles.values()) {
    const { cache, shared } = sourcesOf(profile);
    addVerdicts(verdicts, kindsOf(profile));
    addHistogram(took, profile.took);
    hits += cache + shared;
  }
  const { relayed, discarded } = messagesOf(counting);
  let below = 0;
  return {
    verdicts,
    hits,
    messages: relayed + discarded,
    sessions: listeners.reduce((all, { sessions }) => all + sessions, 0),
    took: took.counts.map((count) => {
      below += count;
      return below;
    }),
  };
}
