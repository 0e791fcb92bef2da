import {
  type DeliveryRequest,
  type DeliveryRoute,
  type DeliveryRouting,
  failed,
  type IpFamily,
  isOfFamily,
  type Profile,
  type Protocol,
  type Request,
  type Route,
  type Routing,
  type Server,
  serverName,
} from '@callahead/core';
import { by } from './deadline.ts';
import { describeHop } from './describe.ts';
import type { Destination, Destinations, Found } from './destinations.ts';
import type { Hops } from './stage.ts';

type Arrive<Result, Asked> = (at: Hops, request: Asked) => Result | Promise<Result>;

/** The last stage of the query: the hosts become a route of the request's profile. The same object while the destination is the same. */
export function createAskStage(
  destinations: Destinations,
  generation: number,
  now: () => number,
): Arrive<Routing, Request> {
  const routes = new WeakMap<Destination, Map<string, Route | Known>>();

  function make({ names, tiers, within }: Destination, { name, probe }: Profile): Route | Known {
    const reachable = tiers.map((tier) => tier.flatMap((server) => ofFamily(server, probe.ipFamily)));
    if (reachable.every((tier) => tier.length === 0)) return noneOfFamily(tiers, probe.ipFamily);
    return { key: `${name} ${names}`, generation, profile: name, probe, tiers: reachable, within };
  }

  function routeOf(destination: Destination, { profile }: Request): Route | Known {
    const known = routes.get(destination) ?? new Map<string, Route | Known>();
    routes.set(destination, known);
    const route = known.get(profile.name) ?? make(destination, profile);
    known.set(profile.name, route);
    return route;
  }

  const arrive = arriving(destinations, now, routeOf);
  return (at, request) => arrive(withPorts(at, request.profile.probe.protocol), request);
}

/** The last stage of the delivery: a route without a profile, so that whoever delivers to the same servers shares it. */
export function createDeliverStage(
  destinations: Destinations,
  generation: number,
  now: () => number,
): Arrive<DeliveryRouting, DeliveryRequest> {
  const routes: Readonly<Record<Protocol, WeakMap<Destination, DeliveryRoute>>> = {
    smtp: new WeakMap(),
    lmtp: new WeakMap(),
  };

  function routeOver(protocol: Protocol): (destination: Destination) => DeliveryRoute {
    return (destination) => {
      const { names, tiers, within } = destination;
      const key = protocol === 'lmtp' ? `lmtp ${names}` : names;
      const route = routes[protocol].get(destination) ?? { key, generation, tiers, within, protocol };
      routes[protocol].set(destination, route);
      return route;
    };
  }

  const arrive = {
    smtp: arriving(destinations, now, routeOver('smtp')),
    lmtp: arriving(destinations, now, routeOver('lmtp')),
  };
  return (at, request) => {
    // Only the profile's own servers are known to speak its protocol (SPEC 7.1).
    const protocol = at.named === 'profile' ? (request.profile?.probe.protocol ?? 'smtp') : 'smtp';
    return arrive[protocol](withPorts(at, protocol), request);
  };
}

/** RFC 2033 §5 keeps LMTP off port 25; 24 is IANA's "any private mail system", and what SPEC 2 says. */
const LMTP_PORT = 24;

const onLmtpPort = new WeakMap<Hops['hops'], Hops['hops']>();

/** Hosts that come with no port have that of the protocol. The same object for the same list: what is remembered about it is found by that. */
function withPorts(at: Hops, protocol: Protocol): Hops {
  if (protocol === 'smtp') return at;
  const known = onLmtpPort.get(at.hops);
  const hops = known ?? at.hops.map((hop) => ({ ...hop, port: hop.port ?? LMTP_PORT }));
  onLmtpPort.set(at.hops, hops);
  return { ...at, hops };
}

/** The server with the addresses that may be connected to; nothing where it has none. */
function ofFamily(server: Server, family: IpFamily): readonly Server[] {
  if (server.kind === 'unix' || family === 'any') return [server];
  const targets = server.targets.filter(({ address }) => isOfFamily(address, family));
  return targets.length === 0 ? [] : [{ ...server, targets }];
}

function noneOfFamily(tiers: Destination['tiers'], family: IpFamily): Known {
  const names = tiers.flat().map(serverName).join(', ');
  return { kind: 'known', verdict: failed('no-route', `${names}: no IPv${family} address`) };
}

type Reached = Pick<Route, 'key' | 'tiers' | 'within'>;
type Ask<R> = Readonly<{ kind: 'ask'; recipient: Hops['recipient']; route: R }>;
type Known = Extract<Routing, { kind: 'known' }>;

function arriving<R extends Reached, Asked extends DeliveryRequest>(
  destinations: Destinations,
  now: () => number,
  routeOf: (destination: Destination, request: Asked) => R | Known,
): Arrive<Ask<R> | Known, Asked> {
  function arrive(found: Found, at: Hops, request: Asked): Ask<R> | Known {
    const to = found.kind === 'known' ? found : routeOf(found, request);
    if ('kind' in to) {
      request.recorder?.({ stage: 'dns', atMs: now(), facts: { hosts: hostsOf(at), ...factsOfKnown(to) } });
      return { kind: 'known', verdict: to.verdict };
    }
    request.recorder?.({ stage: 'dns', atMs: now(), facts: { hosts: hostsOf(at), ...factsOf(to) } });
    return { kind: 'ask', recipient: at.recipient, route: to };
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

/** What is looked up, how, and where its port comes from (SPEC 5.3). */
function hostsOf({ hops }: Hops): string {
  return hops.map(describeHop).join(', ');
}

function factsOf(route: Reached): Readonly<Record<string, string>> {
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

function factsOfKnown({ verdict }: Pick<Known, 'verdict'>): Readonly<Record<string, string>> {
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
