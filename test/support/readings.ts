/** What the stream of events tells of the counters of a gateway. */
import type { Reading, ReadingsTold } from '../../packages/admin/src/readings.ts';

/** Of valid recipients, besides what is given. `took`: how many took at most 10 ms, at most 100 ms, and however long. */
type Counted = Partial<Pick<Reading, 'hits' | 'messages' | 'sessions' | 'took'>> &
  Readonly<{ valid?: number; unknown?: number }>;

export function reading(id: number, atMs: number, counted: Counted = {}): Reading {
  const { valid = 0, unknown = 0, ...others } = counted;
  const verdicts = { valid, unknown, refused: 0, temporary: 0, failed: 0 };
  return {
    id,
    at: new Date(atMs).toISOString(),
    verdicts,
    ...{ hits: 0, messages: 0, sessions: 0, took: [0, 0, 0] },
    ...others,
  };
}

export function readings(some: readonly Reading[], startedAt = '2026-11-24T08:00:00.000Z'): ReadingsTold {
  return { startedAt, leSeconds: [0.01, 0.1, null], readings: some };
}
