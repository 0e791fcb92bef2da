import type { DeliveryRequest, Hop, SmtpRoute, SmtpRoutes } from '@callahead/core';
import { describeHop } from './describe.ts';
import { mergePort } from './ports.ts';
import { DEFAULT_PORT } from './resolved.ts';
import type { Hops } from './stage.ts';

type Discard = Readonly<{ kind: 'discard' }>;
type RoutesStage = (at: Hops, request: DeliveryRequest) => Hops | Discard;

/** What the table says of a host. `entry` is the key that matched. */
export type RouteMatch = Readonly<{ entry: string; route: SmtpRoute }>;

/** The SMTP routes of the host to look up, or of each host that a directory named (SPEC 5.3, 5.4). Where none applies its input goes on. */
export function createSmtpRoutesStage(routes: SmtpRoutes, now: () => number): RoutesStage {
  return (at, request) => {
    if (routes.size === 0) return at;
    const routed = at.hops.map((hop): Routed => ({ hop, match: findRoute(routes, hop.name) }));
    const next = apply(at, routed);
    request.recorder?.({ stage: 'routes', atMs: now(), facts: factsOf(routed, next) });
    return next;
  };
}

/** The same for the query: a static profile's servers have no routes (SPEC 5.5). */
export function createQueryRoutesStage(routes: SmtpRoutes, now: () => number): RoutesStage {
  const stage = createSmtpRoutesStage(routes, now);
  return (at, request) => (request.profile?.servers.kind === 'static' ? at : stage(at, request));
}

/** The most specific entry: the host itself, the longest `.suffix` that it is below of, `ALL` (SPEC 5.4). One look-up a label, whatever the size of the table. */
export function findRoute(routes: SmtpRoutes, host: string): RouteMatch | null {
  const exact = matchOf(routes, host);
  if (exact !== null) return exact;
  for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
    const suffix = matchOf(routes, host.slice(dot));
    if (suffix !== null) return suffix;
  }
  return matchOf(routes, 'ALL');
}

function matchOf(routes: SmtpRoutes, entry: string): RouteMatch | null {
  const route = routes.get(entry);
  return route === undefined ? null : { entry, route };
}

type Routed = Readonly<{ hop: Hop; match: RouteMatch | null }>;

function apply(at: Hops, routed: readonly Routed[]): Hops | Discard {
  if (routed.every(({ match }) => match === null || match.route.kind === 'usedns')) return at;
  const [first, ...others] = routed.map(hopsOf);
  // One host's list stays the object that the table has: what is remembered about it is found by that.
  const hops = others.length === 0 ? (first ?? []) : withoutRepeats([first ?? [], ...others].flat());
  // Of several hosts those that lead somewhere take the mail; thrown away is only what could go nowhere else.
  return hops.length === 0 ? { kind: 'discard' } : { ...at, named: 'operator', hops };
}

function hopsOf({ hop, match }: Routed): readonly Hop[] {
  const route = match?.route ?? { kind: 'usedns' };
  switch (route.kind) {
    case 'usedns':
      return [hop];
    case 'discard':
      return [];
    case 'hosts':
      if (hop.port === null) return route.hops;
      return route.hops.map((host) => ({ ...host, ...mergePort(hop, host.port) }));
  }
}

/** Several hosts of a directory may meet in one route; a server that is listed twice would have two turns. */
function withoutRepeats(hops: readonly Hop[]): readonly Hop[] {
  const known = new Map<string, Hop>();
  for (const hop of hops) {
    const name = `${hop.lookup} ${hop.name} ${hop.port ?? DEFAULT_PORT}`;
    const other = known.get(name);
    if (other === undefined || (hop.preference ?? 0) < (other.preference ?? 0)) known.set(name, hop);
  }
  return [...known.values()];
}

function factsOf(routed: readonly Routed[], next: Hops | Discard): Readonly<Record<string, string>> {
  return {
    hosts: routed.map(({ hop }) => hop.name).join(', '),
    entries: routed.map(({ match }) => match?.entry ?? 'none').join(', '),
    servers: next.kind === 'discard' ? '/dev/null' : next.hops.map(describeHop).join(', '),
  };
}
