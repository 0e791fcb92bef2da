/** The servers of a route by their names. Pure. */
import { type Route, type Server, serverName } from '@callahead/core';

/** A backup accepts everybody: what a server of a worse tier accepts is used but not believed for long (SPEC 4.6). */
export function isBest(route: Route, name: string): boolean {
  return route.tiers[0]?.some((server) => serverName(server) === name) ?? false;
}

export function findServer(route: Route, name: string): Server | null {
  return route.tiers.flat().find((server) => serverName(server) === name) ?? null;
}
