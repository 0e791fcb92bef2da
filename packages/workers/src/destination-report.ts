import type { DestinationReport } from '@callahead/core';
import type { Query } from './query.ts';
import type { Sessions } from './sessions.ts';

/** What a shard is doing, of its queries and the sessions with each of its servers. */
export function reportOf(
  key: string,
  queries: ReadonlySet<Query>,
  pools: ReadonlyMap<string, Sessions>,
): DestinationReport {
  const sessions = { connecting: 0, idle: 0, busy: 0 };
  let waiting = 0;
  for (const pool of pools.values()) {
    const counts = pool.counts();
    sessions.connecting += counts.connecting;
    sessions.idle += counts.idle;
    sessions.busy += counts.busy;
    waiting += pool.waiting();
  }
  for (const { at } of queries) if (at.kind === 'parked') waiting++;
  const servers = [...pools].map(([server, pool]) => ({ server, ...pool.counts() }));
  return { key, waiting, asking: Math.max(0, queries.size - waiting), sessions, servers };
}
