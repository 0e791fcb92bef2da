import {
  type DeliveryRequest,
  type DnsSettings,
  type Emit,
  failed,
  type LdapRoutingSettings,
  type NamesOf,
  type RouteSource,
  type Routing,
  type Self,
  type SmtpRoutes,
} from '@callahead/core';
import { createAskStage, createDeliverStage } from './arrive.ts';
import { createClientNames } from './client-names.ts';
import { createDestinations } from './destinations.ts';
import { createDomainStage } from './domain.ts';
import { createHosts } from './hosts.ts';
import { createLdap } from './ldap.ts';
import { resolveNamed } from './named-hosts.ts';
import { resolveDomain } from './own-domain.ts';
import { type Lookup, type Resolved, trouble } from './resolved.ts';
import { createQueryRoutesStage, createSmtpRoutesStage } from './smtp-routes.ts';
import { createSources, type RoutingSources } from './sources.ts';
import type { Hops, Stage } from './stage.ts';
import { createStaticStage } from './static.ts';
import { canonicalAddress, type Us } from './targets.ts';

export { createSources, type RoutingSources, type SourcesOptions } from './sources.ts';
export type { Hops, Stage } from './stage.ts';

/** `now` is that of the requests' deadlines. `random`: in [0, 1). `sources`: of its own where they are left out. `hostsFile`: /etc/hosts where it is. */
export type RouterOptions = Readonly<{
  hostname: string;
  self: Self;
  /** The sockets our listeners listen on, at this moment; `0.0.0.0` and `::` stand for every address of the machine. */
  listenAddresses: () => readonly Readonly<{ host: string; port: number }>[];
  /** The addresses of the machine. */
  interfaces: () => readonly string[];
  dns: DnsSettings;
  smtpRoutes: SmtpRoutes;
  /** What directories are asked about the recipients of a listener, by its name. */
  ldapRoutings: ReadonlyMap<string, LdapRoutingSettings>;
  generation: number;
  now(): number;
  random(): number;
  emit: Emit;
  sources?: RoutingSources;
  hostsFile?: string;
}>;

/** `namesOf`: the names of clients, by the same DNS. */
export type Router = RouteSource & Readonly<{ namesOf: NamesOf }>;

/** Routing in the order of SPEC 5.1. An answer from memory is no promise; every other comes by the request's deadline. */
export function createRouter(options: RouterOptions): Router {
  const { generation, now, random } = options;
  const sources = options.sources ?? createSources(options);
  const nameServers = sources.dns(options.dns);
  const dns = nameServers.thing;
  const hosts = createHosts(options.hostsFile ?? '/etc/hosts', now);
  const lookup: Lookup = { dns, hosts, us: whoWeAre(options), allowReserved: options.dns.allowReserved, now, random };
  const destinations = createDestinations((at) => resolve(at, lookup), dns, now);

  const domain = createDomainStage(now);
  const servers = createStaticStage(now);
  const ldap = createLdap({ routings: options.ldapRoutings, directory: sources.directory, now });
  const toAsk = [domain, ldap.ask, createQueryRoutesStage(options.smtpRoutes, now), servers];
  const toDeliver = [domain, ldap.deliver, createSmtpRoutesStage(options.smtpRoutes, now), servers];
  const ask = createAskStage(destinations, generation, now);
  const deliver = createDeliverStage(destinations, generation, now);

  return {
    toAsk: (request) => supervise(() => walk(toAsk, 0, ask, start(request), request)),
    namesOf: createClientNames(dns, { timeoutMs: options.dns.timeoutMs, now }),
    toDeliver: (request) => supervise(() => walk(toDeliver, 0, deliver, start(request), request)),
    flush(what) {
      ldap.flush(what);
      destinations.flush(what);
    },
    async close() {
      await Promise.all([nameServers.giveBack(), ldap.close()]);
    },
  };
}

function start(request: DeliveryRequest): Hops {
  return { kind: 'hops', recipient: request.recipient, named: 'recipient', hops: [] };
}

/** What one stage yields is the next stage's input, from the stage `from` on, until one knows the end (SPEC 5.1); `arrive` always does. */
function walk<Result extends Readonly<{ kind: 'ask' | 'discard' | 'known' }>, Asked>(
  stages: readonly Stage<Result, Asked>[],
  from: number,
  arrive: (at: Hops, request: Asked) => Result | Promise<Result>,
  start: Hops,
  request: Asked,
): Result | Promise<Result> {
  let at = start;
  for (let i = from; i < stages.length; i++) {
    const next = stages[i]?.(at, request) ?? at;
    if (next instanceof Promise) return next.then((to) => (isHops(to) ? walk(stages, i + 1, arrive, to, request) : to));
    if (!isHops(next)) return next;
    at = next;
  }
  return arrive(at, request);
}

function isHops(to: Readonly<{ kind: string }>): to is Hops {
  return to.kind === 'hops';
}

type Known = Extract<Routing, { kind: 'known' }>;

/** The router never rejects: a stage that throws is a broken program, and still its recipient gets an answer. */
function supervise<Result>(run: () => Result | Promise<Result>): Result | Known | Promise<Result | Known> {
  try {
    const result = run();
    return result instanceof Promise ? result.catch(broken) : result;
  } catch (error) {
    return broken(error);
  }
}

function broken(error: unknown): Known {
  return {
    kind: 'known',
    verdict: failed('no-route', `routing broke: ${error instanceof Error ? error.message : error}`),
  };
}

/** By the rules for a recipient's own domain, or by those for hosts that an operator named. */
async function resolve(at: Hops, lookup: Lookup): Promise<Resolved> {
  const [hop] = at.hops;
  if (hop === undefined) return trouble('no-route', 'there is no host to look up', [], lookup.now());
  return at.named === 'recipient' ? resolveDomain(hop, lookup) : resolveNamed(at.hops, lookup);
}

/** So long the machine keeps the addresses that it had: asking the system for them takes longer than resolving a name. */
const SEEN_MS = 1_000;

function whoWeAre(options: RouterOptions): () => Us {
  const names = new Set([options.hostname, ...options.self.names].map((name) => name.toLowerCase()));
  const addresses = canonical(options.self.addresses);
  let seen = { atMs: Number.NEGATIVE_INFINITY, machine: canonical([]) };
  return () => {
    const nowMs = options.now();
    if (nowMs >= seen.atMs + SEEN_MS) seen = { atMs: nowMs, machine: canonical(options.interfaces()) };
    return { names, addresses, sockets: options.listenAddresses(), machine: seen.machine };
  };
}

function canonical(addresses: readonly string[]): ReadonlySet<string> {
  return new Set(addresses.map(canonicalAddress).filter((address) => address !== null));
}
