import type { Route } from './route.ts';
import { type Server, serverName } from './server.ts';

/** The order in which servers are tried (SPEC 4.6, 5.5, 5.6): tiers by preference; inside a tier by turns, `step` counting them, or at random. Each server once. */
export function serversInOrder(
  route: Pick<Route, 'tiers' | 'within'>,
  step: number,
  random: () => number,
): readonly Server[] {
  const servers = new Map<string, Server>();
  for (const tier of route.tiers) {
    for (const server of route.within === 'rotate' ? rotate(tier, step) : shuffle(tier, random)) {
      if (!servers.has(serverName(server))) servers.set(serverName(server), server);
    }
  }
  return [...servers.values()];
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
