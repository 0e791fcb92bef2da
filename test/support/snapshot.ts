/** Answers of GET /api/v1/status, as `callahead top` reads them. */
import type { ProfileState, ServerState, Snapshot, Verdicts } from '../../packages/cli/src/top/snapshot.ts';

export function verdicts(given: Partial<Verdicts> = {}): Verdicts {
  return { valid: 0, unknown: 0, refused: 0, temporary: 0, failed: 0, ...given };
}

export function sources(given: Partial<ProfileState['sources']>): ProfileState['sources'] {
  return { server: 0, cache: 0, shared: 0, routing: 0, delivery: 0, ...given };
}

/** So many took no longer than 1 ms, 10 ms, 100 ms, and longer. */
export function latencyOf(...counts: readonly number[]) {
  const bounds = [0.001, 0.01, 0.1, null];
  let count = 0;
  const buckets = bounds.map((leSeconds, i) => {
    count += counts[i] ?? 0;
    return { leSeconds, count };
  });
  return { count, buckets };
}

export function profileState(given: Partial<ProfileState> = {}): ProfileState {
  const counted = { verdicts: verdicts({ valid: 80, unknown: 20 }), sources: sources({ server: 10, cache: 90 }) };
  const cache = { positive: 10, negative: 2, size: 10_000 };
  return { name: 'corp', mode: 'enforce', ...counted, latency: latencyOf(90, 0, 10), cache, ...given };
}

export function serverState(given: Partial<ServerState> = {}): ServerState {
  return {
    profile: 'corp',
    server: 'ex1.corp.example:25',
    breaker: 'closed',
    leftAloneSeconds: 0,
    suspended: false,
    catchAll: false,
    connections: { connecting: 0, idle: 1, busy: 2, lent: 3, limit: 5, waiting: 0 },
    probes: verdicts({ valid: 10 }),
    latency: latencyOf(0, 10),
    ...given,
  };
}

export function snapshot(given: Partial<Snapshot> = {}): Snapshot {
  return {
    hostname: 'mx1.gateway.example',
    version: '1.2.3',
    startedAt: '2026-11-24T08:00:00.000Z',
    uptimeSeconds: 100,
    state: 'ready',
    listeners: [{ sessions: 7 }, { sessions: 5 }],
    profiles: [profileState()],
    servers: [serverState()],
    engine: { asking: 2, waiting: 3, destinations: 1 },
    messages: { relayed: 4, refused: 1 },
    dhap: { crossings: 0, offenders: [] },
    threads: [{ thread: 'main', lagSeconds: 0.002 }],
    residentBytes: 120_000_000,
    ...given,
  };
}
