/** What GET /api/v1/status tells of a gateway with one profile. */
import type { Status } from '../../packages/admin/src/status.ts';

type Told = Readonly<{
  startedAt?: string;
  valid?: number;
  unknown?: number;
  hits?: number;
  relayed?: number;
  sessions?: number;
  /** How many verdicts took at most 10 ms, at most 100 ms, and however long. */
  buckets?: readonly [number, number, number];
}>;

export function snapshot(told: Told): Status {
  const { startedAt = '2026-11-24T08:00:00.000Z', valid = 0, unknown = 0, hits = 0, relayed = 0, sessions = 0 } = told;
  const [fast, slow, all] = told.buckets ?? [0, 0, 0];
  const verdicts = { valid, unknown, refused: 0, temporary: 0, failed: 0 };
  return {
    hostname: 'mx.gateway.example',
    version: '0.1.0',
    startedAt,
    uptimeSeconds: 1,
    state: 'ready',
    listeners: [{ name: 'inbound', sockets: [], profile: 'corp', sessions, sessionsTotal: 0 }],
    profiles: [
      {
        name: 'corp',
        mode: 'enforce',
        verdicts,
        sources: { server: valid + unknown - hits, cache: hits, shared: 0, routing: 0, delivery: 0 },
        hitRatio: null,
        latency: {
          count: all,
          sumSeconds: 0,
          p50Seconds: null,
          p95Seconds: null,
          p99Seconds: null,
          buckets: [
            { leSeconds: 0.01, count: fast },
            { leSeconds: 0.1, count: slow },
            { leSeconds: null, count: all },
          ],
        },
        cache: { positive: 0, negative: 0, size: 10 },
      },
    ],
    servers: [],
    canaries: [],
    destinations: [],
    engine: { asking: 0, waiting: 0, destinations: 0 },
    messages: { relayed, refused: 0, discarded: 0, bytes: 0 },
    replies: {},
    dhap: { crossings: 0, offenders: [] },
    threads: [],
    residentBytes: 0,
  };
}
