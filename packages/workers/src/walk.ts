/** The order in which servers are asked (SPEC 4.6, 5.5, 5.6). Pure. */
import { type Route, type Server, serverName } from '@callahead/core';

/** Tiers by preference; inside a tier by turns, `step` counting the batches, or at random. Each server once. */
export function serversInOrder(route: Route, step: number, random: () => number): readonly Server[] {
  const servers = new Map<string, Server>();
  for (const tier of route.tiers) {
    for (const server of route.within === 'rotate' ? rotate(tier, step) : shuffle(tier, random)) {
      if (!servers.has(serverName(server))) servers.set(serverName(server), server);
    }
  }
  return [...servers.values()];
}

/** A backup accepts everybody: what a server of a worse tier accepts is used but not believed for long (SPEC 4.6). */
export function isBest(route: Route, name: string): boolean {
  return route.tiers[0]?.some((server) => serverName(server) === name) ?? false;
}

export function findServer(route: Route, name: string): Server | null {
  return route.tiers.flat().find((server) => serverName(server) === name) ?? null;
}

function rotate<T>(items: readonly T[], step: number): readonly T[] {
  const at = items.length === 0 ? 0 : step % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}

function shuffle<T>(items: readonly T[], random: () => number): readonly T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
