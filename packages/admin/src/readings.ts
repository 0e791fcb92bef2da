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
  /** ReadingsTold as JSON: those after `id`, oldest first. */
  since(id: number): string;
  /** The id of the last one. */
  total(): number;
}>;

export const READING_MS = 1_000;
const KEPT = 900;

/** `startedAtMs` and `wallMs`: milliseconds since 1970. */
export function createReadings(startedAtMs: number, wallMs: () => number): Readings {
  // As text: 900 of them would keep the thread for some 20 ms each time that a page is opened.
  const ring = createRing<string>(KEPT);
  const startedAt = JSON.stringify(new Date(startedAtMs));
  const frame = `"startedAt":${startedAt},"leSeconds":${JSON.stringify([...SECONDS, null])}`;

  function take(counting: Counting, listeners: readonly ListenerState[]): void {
    const at = new Date(wallMs()).toISOString();
    const reading: Reading = { id: ring.total() + 1, at, ...countsOf(counting, listeners) };
    ring.add(JSON.stringify(reading));
  }

  function since(id: number): string {
    const readings: string[] = [];
    for (let next = Math.max(id, ring.total() - KEPT) + 1; next <= ring.total(); next++) {
      const reading = ring.at(next);
      if (reading !== undefined) readings.push(reading);
    }
    return `{${frame},"readings":[${readings.join()}]}`;
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
