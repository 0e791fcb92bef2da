/** The servers of a route by their names. Pure. */
import { type Route, type Server, serverName, serversInOrder } from '@callahead/core';

/** A backup accepts everybody: what a server of a worse tier accepts is used but not believed for long (SPEC 4.6). */
export function isBest(route: Route, name: string): boolean {
  return route.tiers[0]?.some((server) => serverName(server) === name) ?? false;
}

export function findServer(route: Route, name: string): Server | null {
  return route.tiers.flat().find((server) => serverName(server) === name) ?? null;
}

/**
 * The servers in the order in which they are tried. Of one tier those that owe the fewest answers come first, in turns where that is equal: so a slow
 * server gets what it can answer, and does not gather connections and recipients.
 */
export function freestFirst(
  route: Route,
  step: number,
  random: () => number,
  owes: (server: Server) => number,
): readonly Server[] {
  const [only] = route.tiers;
  if (only !== undefined && route.tiers.length === 1 && only.length === 1) return only;
  const order = serversInOrder(route, step, random);
  const tiers = new Map(
    route.tiers.flatMap((tier, i) => tier.map((server) => [serverName(server), i] as const)).reverse(),
  );
  return order
    .map((server) => ({ server, tier: tiers.get(serverName(server)) ?? 0, owed: owes(server) }))
    .sort((a, b) => a.tier - b.tier || a.owed - b.owed)
    .map(({ server }) => server);
}
