import type { DestinationReport } from '@callahead/core';
import type { Query } from './query.ts';
import type { Sessions } from './sessions.ts';

/** What an actor is doing: `all` are its questions, `pools` its sessions by server. */
export function reportOf(key: string, all: ReadonlySet<Query>, pools: Iterable<Sessions>): DestinationReport {
  const sessions = { connecting: 0, idle: 0, busy: 0 };
  let queued = 0;
  for (const pool of pools) {
    const counts = pool.counts();
    sessions.connecting += counts.connecting;
    sessions.idle += counts.idle;
    sessions.busy += counts.busy;
    queued += pool.waiting();
  }
  for (const { at } of all) if (at.kind === 'parked') queued++;
  return { key, waiting: queued, asking: Math.max(0, all.size - queued), sessions };
}
