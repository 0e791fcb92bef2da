import {
  type DeliveryRequest,
  type DeliveryRoute,
  type DeliveryRouting,
  failed,
  type Request,
  type Route,
  type Routing,
  serverName,
} from '@callahead/core';
import { by } from './deadline.ts';
import type { Destination, Destinations, Found } from './destinations.ts';
import type { Hops } from './stage.ts';

type Arrive<Result, Asked> = (at: Hops, request: Asked) => Result | Promise<Result>;

/** The last stage of the query: the hosts become a route of the request's profile. The same object while the destination is the same. */
export function createAskStage(
  destinations: Destinations,
  generation: number,
  now: () => number,
): Arrive<Routing, Request> {
  const routes = new WeakMap<Destination, Map<string, Route>>();
  return arriving(destinations, now, (destination, { profile }: Request): Route => {
    const known = routes.get(destination) ?? new Map<string, Route>();
    routes.set(destination, known);
    const route = known.get(profile.name);
    if (route !== undefined) return route;
    const { names, tiers, within } = destination;
    const key = `${profile.name} ${names}`;
    const made: Route = { key, generation, profile: profile.name, probe: profile.probe, tiers, within };
    known.set(profile.name, made);
    return made;
  });
}

/** The last stage of the delivery: a route without a profile, so that whoever delivers to the same servers shares it. */
export function createDeliverStage(
  destinations: Destinations,
  generation: number,
  now: () => number,
): Arrive<DeliveryRouting, DeliveryRequest> {
  const routes = new WeakMap<Destination, DeliveryRoute>();
  return arriving(destinations, now, (destination): DeliveryRoute => {
    const { names, tiers, within } = destination;
    const route = routes.get(destination) ?? { key: names, generation, tiers, within };
    routes.set(destination, route);
    return route;
  });
}

type Ask<R> = Readonly<{ kind: 'ask'; recipient: Hops['recipient']; route: R }>;
type Known = Extract<Routing, { kind: 'known' }>;

function arriving<R extends DeliveryRoute, Asked extends DeliveryRequest>(
  destinations: Destinations,
  now: () => number,
  routeOf: (destination: Destination, request: Asked) => R,
): Arrive<Ask<R> | Known, Asked> {
  function arrive(found: Found, at: Hops, request: Asked): Ask<R> | Known {
    if (found.kind === 'known') {
      request.recorder?.({ stage: 'dns', atMs: now(), facts: factsOfKnown(found) });
      return { kind: 'known', verdict: found.verdict };
    }
    const route = routeOf(found, request);
    request.recorder?.({ stage: 'dns', atMs: now(), facts: factsOf(route) });
    return { kind: 'ask', recipient: at.recipient, route };
  }

  return (at, request) => {
    const found = destinations.find(at);
    if (!(found instanceof Promise)) return arrive(found, at, request);
    return by(found, request.deadlineMs, now, () => late(at)).then((it) => arrive(it, at, request));
  };
}

/** The budget ended while the DNS kept us waiting: that is the DNS's failure (SPEC 5.6, "time-out → failed dns"), not the mail server's `timeout` (SPEC 4.1). */
function late(at: Hops): Found {
  const names = at.hops.map((hop) => hop.name).join(', ');
  return { kind: 'known', verdict: failed('dns', `${names}: no answer in time`), about: [], expiresAtMs: 0 };
}

function factsOf(route: DeliveryRoute): Readonly<Record<string, string>> {
  const tiers = route.tiers.map((tier) =>
    tier.map((server) => `${serverName(server)}${server.kind === 'tcp' ? ` (${addressesIn(server)})` : ''}`),
  );
  return { route: route.key, order: route.within, servers: tiers.map((tier) => tier.join(', ')).join('; ') };
}

function addressesIn(
  server: Readonly<{ host: string; targets: readonly { name: string; address: string }[] }>,
): string {
  return server.targets.map(({ name, address }) => (name === server.host ? address : `${name} ${address}`)).join(' ');
}

function factsOfKnown({ verdict }: Known): Readonly<Record<string, string>> {
  switch (verdict.kind) {
    case 'failed':
      return { verdict: 'failed', cause: verdict.cause, detail: verdict.detail };
    case 'valid':
      return { verdict: 'valid' };
    case 'unknown':
    case 'refused':
    case 'temporary':
      return {
        verdict: verdict.kind,
        reply: `${verdict.reply.code} ${verdict.reply.enhanced ?? ''} ${verdict.reply.text}`,
      };
  }
}
