/** The sessions of one destination, by its servers. */
import { loanName, type Route, type Server, serverName, type ToMain } from '@callahead/core';
import type { Habits } from './habits.ts';
import type { Connect } from './opening.ts';
import type { Permits } from './permits.ts';
import type { Outcome, Query } from './query.ts';
import { createSessions, type Sessions, type Supervise } from './sessions.ts';
import { findServer } from './walk.ts';

export type Pools = Readonly<{
  of(server: Server): Sessions;
  /** Gives a query to its server's sessions. Those who fail over together are one batch: `pump` comes at the end of the turn, or before. */
  give(query: Query, server: Server): void;
  pump(): void;
  all(): ReadonlyMap<string, Sessions>;
}>;

export type PoolsOptions = Readonly<{
  route: () => Route;
  habits: (loan: string) => Habits;
  permits: Permits;
  connect: Connect;
  now: () => number;
  post: (message: ToMain) => void;
  done: (query: Query, server: string, outcome: Outcome) => void;
  supervise: Supervise;
}>;

export function createPools(options: PoolsOptions): Pools {
  const { route, permits, connect, now, post, supervise } = options;
  const pools = new Map<string, Sessions>();
  const unpumped = new Set<Sessions>();

  function of(server: Server): Sessions {
    const name = serverName(server);
    const found = pools.get(name);
    if (found !== undefined) return found;
    const loan = loanName(route().profile, name);
    const pool = createSessions({
      server: () => findServer(route(), name) ?? server,
      probe: () => route().probe,
      habits: options.habits(loan),
      connect,
      now,
      borrow: (borrower) => permits.borrow(loan, borrower),
      giveBack: (borrower, outcome) => permits.giveBack(loan, borrower, outcome),
      answered: () => post({ kind: 'answered', loan }),
      done: (query, outcome) => options.done(query, name, outcome),
      supervise,
    });
    pools.set(name, pool);
    return pool;
  }

  function give(query: Query, server: Server): void {
    const pool = of(server);
    if (unpumped.size === 0) queueMicrotask(() => supervise(pump));
    unpumped.add(pool);
    pool.add(query);
  }

  function pump(): void {
    for (const pool of unpumped) {
      unpumped.delete(pool);
      pool.pump();
    }
  }

  return { of, give, pump, all: () => pools };
}
