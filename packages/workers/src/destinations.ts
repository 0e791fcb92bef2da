import type { Probe, Route, Server } from '@callahead/core';
import { stableHash } from './stable-hash.ts';

const IDLE_MS = 600_000;

/**
 * One destination as the main half knows it: a number for the threads, its newest route, the lanes of its shards. `version` grows with each
 * route that threads must learn; `asking` counts the credits it holds, `waiting` the asks that wait for one.
 */
export type Destination = {
  readonly number: number;
  route: Route;
  version: number;
  lanes: readonly number[];
  asking: number;
  waiting: number;
  usedMs: number;
};

export type Destinations = {
  /** The destination of a route, new where there is none; null: there are too many and none is idle (SPEC 8.1). */
  find(route: Route): Destination | null;
  /** All profiles of a newer generation: their destinations have these settings now, and so has every one that an older route creates. */
  renew(generation: number, probes: Readonly<Record<string, Probe>>): void;
  byNumber(number: number): Destination | undefined;
  /** Forgets those that nobody asked for ten minutes. */
  sweep(): void;
  size(): number;
};

export type DestinationsOptions = Readonly<{
  threads: number;
  most: number;
  now: () => number;
  /** A destination has a route that the permits must learn; `old` is the one it had. */
  onRoute: (route: Route, old: Route | null) => void;
  onForget: (destination: Destination) => void;
}>;

export function createDestinations({ threads, most, now, onRoute, onForget }: DestinationsOptions): Destinations {
  const byKey = new Map<string, Destination>();
  const byNumber = new Map<number, Destination>();
  let newest: Readonly<{ generation: number; probes: Readonly<Record<string, Probe>> }> | null = null;
  let serial = 0;

  function find(route: Route): Destination | null {
    const known = byKey.get(route.key);
    if (known === undefined) return create(renewed(route));
    known.usedMs = now();
    if (known.route === route || !isNewer(route, known.route)) return known;
    const old = known.route;
    const changed = route.generation > old.generation || !sameTargets(route, old);
    known.route = route;
    if (!changed) return known;
    known.version++;
    known.lanes = shards(route);
    onRoute(route, old);
    return known;
  }

  function create(route: Route): Destination | null {
    if (byKey.size >= most && !forgetLongestIdle()) return null;
    const created = { number: serial++, route, version: 0, lanes: shards(route), asking: 0, waiting: 0, usedMs: now() };
    byKey.set(route.key, created);
    byNumber.set(created.number, created);
    onRoute(route, null);
    return created;
  }

  function renew(generation: number, probes: Readonly<Record<string, Probe>>): void {
    newest = { generation, probes };
    for (const one of byKey.values()) {
      one.route = renewed(one.route);
      one.lanes = shards(one.route);
    }
  }

  /** A session asks by the routes that it began with, of servers that are asked by the newest settings (SPEC 1.8). */
  function renewed(route: Route): Route {
    const probe = newest?.probes[route.profile];
    if (newest === null || probe === undefined || route.generation >= newest.generation) return route;
    return { ...route, generation: newest.generation, probe };
  }

  /** As many shards as help: no thread has two, and none is without a connection. Where they begin spreads small destinations over the threads. */
  function shards(route: Route): number[] {
    const count = Math.max(1, Math.min(threads, route.probe.maxConnectionsPerServer));
    const first = stableHash(route.key) % threads;
    return Array.from({ length: count }, (_, i) => (first + i) % threads);
  }

  function forgetLongestIdle(): boolean {
    let longest: Destination | null = null;
    for (const one of byKey.values()) {
      if (!isIdle(one)) continue;
      if (longest === null || one.usedMs < longest.usedMs) longest = one;
    }
    if (longest === null) return false;
    forget(longest);
    return true;
  }

  function sweep(): void {
    const idleSinceMs = now() - IDLE_MS;
    for (const one of byKey.values()) if (isIdle(one) && one.usedMs <= idleSinceMs) forget(one);
  }

  function forget(destination: Destination): void {
    byKey.delete(destination.route.key);
    byNumber.delete(destination.number);
    onForget(destination);
  }

  return { find, renew, byNumber: (number) => byNumber.get(number), sweep, size: () => byKey.size };
}

/** The lane of a recipient: always the same one, so that equal questions meet (SPEC 8.2). Letter case does not count: some caches fold it. */
export function laneOf(destination: Destination, address: string): number {
  const { lanes } = destination;
  return lanes[stableHash(address) % lanes.length] ?? 0;
}

function isIdle({ asking, waiting }: Destination): boolean {
  return asking === 0 && waiting === 0;
}

/** Of two routes with one key the newer generation counts, then the one resolved later, which is the one that is asked now. */
function isNewer(route: Route, than: Route): boolean {
  return route.generation >= than.generation;
}

/** The key has the names; addresses may have changed under them. */
function sameTargets(a: Route, b: Route): boolean {
  const others = b.tiers.flat();
  const servers = a.tiers.flat();
  if (servers.length !== others.length || a.tiers.length !== b.tiers.length) return false;
  return servers.every((server, i) => sameServer(server, others[i]));
}

function sameServer(a: Server, b: Server | undefined): boolean {
  if (a === b) return true;
  if (b === undefined) return false;
  if (a.kind === 'unix') return b.kind === 'unix' && a.path === b.path;
  if (b.kind === 'unix' || a.host !== b.host || a.port !== b.port || a.targets.length !== b.targets.length)
    return false;
  return a.targets.every((target, i) => {
    const other = b.targets[i];
    return other !== undefined && target.address === other.address && target.name === other.name;
  });
}
