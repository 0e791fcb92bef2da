import { type Hop, hostPort, type Reply } from '@callahead/core';
import { addressesOf, causeOf, exchangesOf, type Listed, locate, type Rules } from './exchanges.ts';
import { DEFAULT_PORT, type Lookup, printOf, type Resolved, rulesOf, toServer, trouble } from './resolved.ts';
import type { Exchange } from './targets.ts';

const NO_SUCH_DOMAIN: Reply = { code: 550, enhanced: '5.1.2', text: 'The domain does not exist' };
/** RFC 7505 §4.2 */
const NULL_MX: Reply = { code: 556, enhanced: '5.1.10', text: 'The domain accepts no mail' };

/** The servers of the recipient's own domain by MX, each exchange a server and each preference a tier (SPEC 5.6). */
export async function resolveDomain(hop: Hop, lookup: Lookup): Promise<Resolved> {
  const rules = rulesOf(lookup, hop.port, new Set());
  if (hop.lookup !== 'mx')
    return toTiers(await locate([onlyExchange(hop)], Number.POSITIVE_INFINITY, rules), hop, lookup);
  const mx = await lookup.dns.look('MX', hop.name);
  // A domain whose MX nobody can tell has no A fall-back: it may well have an MX that we would pass by (RFC 5321 §5.1).
  if (mx.kind === 'failed') return trouble(causeOf(mx), mx.detail, [hop.name], lookup.now());
  if (mx.kind === 'none' && mx.why === 'nxdomain') return unknown(NO_SUCH_DOMAIN, hop, mx.expiresAtMs);
  if (mx.kind === 'none') return resolveAddresses(hop, mx.expiresAtMs, rules, lookup);
  if (mx.records.every((record) => record.value === '')) return unknown(NULL_MX, hop, mx.expiresAtMs);
  const exchanges = exchangesOf(mx.records);
  if (exchanges.length === 0)
    return trouble('no-route', `${hop.name}: no MX record names a host`, [hop.name], mx.expiresAtMs);
  return toTiers(await locate(exchanges, mx.expiresAtMs, rules), hop, lookup);
}

async function resolveAddresses(hop: Hop, expiresAtMs: number, rules: Rules, lookup: Lookup): Promise<Resolved> {
  const found = await addressesOf(hop.name, rules);
  if (found.kind === 'none' && found.why === 'nxdomain') return unknown(NO_SUCH_DOMAIN, hop, found.expiresAtMs);
  if (found.kind === 'none')
    return trouble('no-route', `${hop.name} has neither MX nor address`, [hop.name], found.expiresAtMs);
  return toTiers(await locate([onlyExchange(hop)], expiresAtMs, rules), hop, lookup);
}

/** A domain without MX, or an address, is its own and only exchange (RFC 5321 §5.1). */
function onlyExchange(hop: Hop): Exchange {
  return { name: hop.name, preference: 0, addresses: [] };
}

function toTiers(listed: Listed, hop: Hop, lookup: Lookup): Resolved {
  if (listed.kind === 'none') return trouble(listed.cause, listed.detail, [hop.name], listed.expiresAtMs);
  const port = hop.port ?? DEFAULT_PORT;
  const groups = [...Map.groupBy(listed.exchanges, (exchange) => exchange.preference).values()];
  return {
    kind: 'servers',
    names: `mx ${groups.map((group) => group.map((each) => hostPort(each.name, port)).join(',')).join(';')}`,
    print: printOf(listed.exchanges),
    // A tier stays where its names have no address now: a server of the next one is still of worse preference (SPEC 4.6).
    tiers: groups.map((group) =>
      group.filter((each) => each.addresses.length > 0).map((each) => toServer(each.name, port, [each], lookup.random)),
    ),
    within: 'shuffle',
    about: [hop.name, ...listed.exchanges.map((exchange) => exchange.name)],
    expiresAtMs: listed.expiresAtMs,
  };
}

function unknown(reply: Reply, hop: Hop, expiresAtMs: number): Resolved {
  return {
    kind: 'known',
    verdict: { kind: 'unknown', source: 'routing', server: '', reply, ref: '' },
    about: [hop.name],
    expiresAtMs,
  };
}
