import { type Hop, hostPort } from '@callahead/core';
import { causeOf, exchangesOf, type Listed, locate, RETRY_MS, type Rules } from './exchanges.ts';
import { DEFAULT_PORT, type Lookup, printOf, type Resolved, rulesOf, shuffle, toServer, trouble } from './resolved.ts';
import type { Exchange, Us } from './targets.ts';

/** The servers that an operator named: each host one server, the exchanges of its name that server's targets (SPEC 5.5). A host that leads nowhere now is left out while another does. */
export async function resolveNamed(hops: readonly Hop[], lookup: Lookup): Promise<Resolved> {
  const written = new Set(hops.map((hop) => hop.name));
  const listed = await Promise.all(hops.map((hop) => listNamed(hop, rulesOf(lookup, hop.port, written), lookup)));
  const about = [...written, ...listed.flatMap((each) => exchangesIn(each).map((exchange) => exchange.name))];
  const servers = hops.map((hop, i) =>
    toServer(hop.name, hop.port ?? DEFAULT_PORT, byPreference(exchangesIn(listed[i]), lookup.random), lookup.random),
  );
  const [first] = listed;
  if (first?.kind === 'none' && listed.every((each) => each.kind === 'none'))
    return trouble(first.cause, first.detail, about, Math.min(...listed.map((each) => each.expiresAtMs)));
  const retryAtMs = lookup.now() + RETRY_MS;
  return {
    kind: 'servers',
    names: `to ${hops.map((hop) => hostPort(hop.name, hop.port ?? DEFAULT_PORT)).join(',')}`,
    print: listed.map((each) => printOf(exchangesIn(each))).join('|'),
    tiers: [servers.filter((server) => server.kind === 'unix' || server.targets.length > 0)],
    within: 'rotate',
    about,
    expiresAtMs: Math.min(...listed.map((each) => (each.kind === 'none' ? retryAtMs : each.expiresAtMs))),
  };
}

async function listNamed(hop: Hop, rules: Rules, lookup: Lookup): Promise<Listed> {
  const only: Exchange = { name: hop.name, preference: 0, addresses: [] };
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

function exchangesIn(listed: Listed | undefined): readonly Exchange[] {
  return listed?.kind === 'listed' ? listed.exchanges : [];
}

function byPreference(exchanges: readonly Exchange[], random: () => number): readonly Exchange[] {
  const groups = [...Map.groupBy(exchanges, (exchange) => exchange.preference).values()];
  return groups.flatMap((group) => shuffle(group, random));
}
