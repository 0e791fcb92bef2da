import { type Hop, hostPort, type Server, serverName } from '@callahead/core';
import { causeOf, exchangesOf, type Listed, locate, RETRY_MS, type Rules } from './exchanges.ts';
import { DEFAULT_PORT, type Lookup, printOf, type Resolved, rulesOf, shuffle, toServer, trouble } from './resolved.ts';
import type { Exchange, Us } from './targets.ts';

/**
 * The servers that an operator named: each host one server, the exchanges of its name that server's targets (SPEC 5.5), hosts of one preference
 * a tier in which they take turns (SPEC 5.4). A host that leads nowhere now is left out while another does.
 */
export async function resolveNamed(hops: readonly Hop[], lookup: Lookup): Promise<Resolved> {
  const written = new Set(hops.map((hop) => hop.name));
  const ordered = hops.toSorted((a, b) => preferenceOf(a) - preferenceOf(b));
  const found = await Promise.all(
    ordered.map(async (hop) => ({ hop, listed: await listNamed(hop, rulesOf(lookup, hop.port, written), lookup) })),
  );
  const exchanges = found.flatMap(({ listed }) => exchangesIn(listed));
  const about = [...written, ...exchanges.map((exchange) => exchange.name)];
  const [first] = found;
  if (first?.listed.kind === 'none' && found.every(({ listed }) => listed.kind === 'none')) {
    const { cause, detail } = first.listed;
    return trouble(cause, detail, about, Math.min(...found.map(({ listed }) => listed.expiresAtMs)));
  }
  const retryAtMs = lookup.now() + RETRY_MS;
  const tiers = [...Map.groupBy(found, ({ hop }) => preferenceOf(hop)).values()];
  return {
    kind: 'servers',
    names: `to ${tiers.map((tier) => tier.map(({ hop }) => nameOf(hop)).join(',')).join(';')}`,
    print: found.map(({ listed }) => printOf(exchangesIn(listed))).join('|'),
    tiers: tiers.map((tier) => tier.flatMap(({ hop, listed }) => serversOf(hop, exchangesIn(listed), lookup.random))),
    within: 'rotate',
    about,
    expiresAtMs: Math.min(...found.map(({ listed }) => (listed.kind === 'none' ? retryAtMs : listed.expiresAtMs))),
  };
}

function preferenceOf(hop: Hop): number {
  return hop.preference ?? 0;
}

/** In brackets where the MX of the name is passed by: that may be another server than the name alone. */
function nameOf({ name, port, lookup }: Hop): string {
  if (lookup === 'unix') return serverName({ kind: 'unix', path: name });
  return hostPort(lookup === 'address' ? `[${name}]` : name, port ?? DEFAULT_PORT);
}

function serversOf(hop: Hop, exchanges: readonly Exchange[], random: () => number): readonly Server[] {
  if (hop.lookup === 'unix') return [{ kind: 'unix', path: hop.name }];
  const server = toServer(hop.name, hop.port ?? DEFAULT_PORT, byPreference(exchanges, random), random);
  return server.kind === 'tcp' && server.targets.length === 0 ? [] : [server];
}

async function listNamed(hop: Hop, rules: Rules, lookup: Lookup): Promise<Listed> {
  const only: Exchange = { name: hop.name, preference: 0, addresses: [] };
  if (hop.lookup === 'unix') return listedAs(only, Number.POSITIVE_INFINITY);
  if (hop.lookup === 'none') return listedAs({ ...only, addresses: [hop.name] }, Number.POSITIVE_INFINITY);
  const inFile = await lookup.hosts.lookup(hop.name);
  if (inFile.addresses.length > 0) return listedAs({ ...only, addresses: inFile.addresses }, inFile.expiresAtMs);
  if (hop.lookup === 'address') return locate([only], Number.POSITIVE_INFINITY, direct(rules));
  const mx = await rules.dns.look('MX', hop.name);
  // Trouble is never a reason to fall back to the address: there may be an MX (SPEC 5.6).
  if (mx.kind === 'failed') return { kind: 'none', cause: causeOf(mx), detail: mx.detail, expiresAtMs: rules.now() };
  if (mx.kind === 'none' && mx.why === 'nxdomain')
    return { kind: 'none', cause: 'dns', detail: `${hop.name} does not exist`, expiresAtMs: mx.expiresAtMs };
  // A null MX says that the domain takes no mail from strangers; the operator who named the host knows better.
  const exchanges = mx.kind === 'found' ? exchangesOf(mx.records) : [];
  if (exchanges.length === 0) return locate([only], mx.expiresAtMs, direct(rules));
  return locate(exchanges, mx.expiresAtMs, rules);
}

/** A host that was named itself is no MX list: what the operator wrote is no loop (SPEC 5.7), only the server's greeting could tell. */
function direct(rules: Rules): Rules {
  return { ...rules, us: NOBODY };
}

const NOBODY: Us = { names: new Set(), addresses: new Set(), sockets: [], machine: new Set() };

function listedAs(exchange: Exchange, expiresAtMs: number): Listed {
  return { kind: 'listed', exchanges: [exchange], expiresAtMs };
}

function exchangesIn(listed: Listed): readonly Exchange[] {
  return listed.kind === 'listed' ? listed.exchanges : [];
}

function byPreference(exchanges: readonly Exchange[], random: () => number): readonly Exchange[] {
  const groups = [...Map.groupBy(exchanges, (exchange) => exchange.preference).values()];
  return groups.flatMap((group) => shuffle(group, random));
}
