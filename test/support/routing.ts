/** Requests and profiles for tests of routing, and a router whose every dependency is a test's. */
import type { DeliveryRequest, Hop, Profile, Recorder, Request, Server, Verdict } from '@callahead/core';
import { createRouter, type RouterOptions } from '@callahead/routing';
import { recipientOf } from './recipients.ts';
import { PROBE } from './routes.ts';

/** A profile with these static servers, or one that asks the delivery host. */
export function profileOf(hops: readonly Hop[] | null, name = 'corp'): Profile {
  return {
    name,
    validationTimeoutMs: 30_000,
    servers: hops === null ? { kind: 'delivery-host' } : { kind: 'static', hops },
    probe: PROBE,
    actions: {
      mode: 'enforce',
      onValidationFailure: { kind: 'accept' },
      onTemporaryFailure: { kind: 'reject' },
      onUnknown: { kind: 'reject' },
      onRefused: { kind: 'reject' },
      serverReply: 'mask',
    },
    canary: null,
  };
}

/** A static server as a profile lists it. */
export function hopTo(name: string, port: number | null = null, lookup: Hop['lookup'] = 'mx'): Hop {
  return { name, port, portFrom: port === null ? 'default' : 'static', lookup };
}

type Asking = Readonly<{ profile?: Profile; withinMs?: number; recorder?: Recorder; now?: () => number }>;

/** A request for the recipient, of a delivery-host profile and with ten seconds where nothing else is said. */
export function requestFor(address: string, asking: Asking = {}): Request {
  const now = asking.now ?? (() => performance.now());
  return {
    recipient: recipientOf(address),
    profile: asking.profile ?? profileOf(null),
    listener: 'inbound',
    deadlineMs: now() + (asking.withinMs ?? 10_000),
    recorder: asking.recorder ?? null,
  };
}

/** The same of a listener without call-ahead. */
export function deliveryOf(address: string): DeliveryRequest {
  return { ...requestFor(address), profile: null };
}

/** A router that asks this name server and reads no hosts file. */
export function routerWith(dnsServer: string, over: Partial<RouterOptions> = {}): ReturnType<typeof createRouter> {
  return createRouter({
    hostname: 'gateway.example',
    self: { names: [], addresses: [] },
    listenAddresses: () => [],
    interfaces: () => ['127.0.0.1'],
    dns: { servers: [dnsServer], timeoutMs: 2_000, allowReserved: false },
    smtpRoutes: new Map(),
    ldapRoutings: new Map(),
    generation: 1,
    now: () => performance.now(),
    random: Math.random,
    emit: () => {},
    hostsFile: '/dev/null',
    ...over,
  });
}

/** A name server's settings for `dns`. */
export function dnsSettings(server: string, over: Readonly<{ timeoutMs?: number; allowReserved?: boolean }> = {}) {
  return { servers: [server], timeoutMs: 2_000, allowReserved: false, ...over };
}

/** The addresses of a route, tier by tier and server by server. */
export function addressesOfTiers(tiers: readonly (readonly Server[])[]): string[][] {
  return tiers.map((tier) =>
    tier.flatMap((server) => (server.kind === 'tcp' ? server.targets.map((target) => target.address) : [])),
  );
}

/** A verdict in few words: its kind with the code or the cause. */
export function wordsOf(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'valid':
      return 'valid';
    case 'failed':
      return `failed ${verdict.cause}`;
    case 'unknown':
    case 'refused':
    case 'temporary':
      return `${verdict.kind} ${verdict.reply.code} ${verdict.reply.enhanced ?? ''}`;
  }
}

/** What the router said, in few words: the addresses by tier (`a b; c`), or the verdict. */
export function summary(
  routing:
    | Readonly<{ kind: 'ask'; route: { tiers: readonly (readonly Server[])[] } }>
    | Readonly<{ kind: 'discard' }>
    | Readonly<{ kind: 'known'; verdict: Verdict }>,
): string {
  switch (routing.kind) {
    case 'ask':
      return addressesOfTiers(routing.route.tiers)
        .map((tier) => tier.join(' '))
        .join('; ');
    case 'discard':
      return 'discard';
    case 'known':
      return wordsOf(routing.verdict);
  }
}

/** The route that the router found; throws where it found none. */
export function routeOf<R>(routing: Readonly<{ kind: 'ask'; route: R }> | Readonly<{ kind: 'discard' | 'known' }>): R {
  if (routing.kind !== 'ask') throw new Error(`no route but ${JSON.stringify(routing)}`);
  return routing.route;
}
