import { type Cause, failed, type Server, type Verdict } from '@callahead/core';
import type { Dns } from './dns.ts';
import type { Rules } from './exchanges.ts';
import type { Hosts } from './hosts.ts';
import type { Exchange, Us } from './targets.ts';

/**
 * Where hops lead. `names`: the servers' names and ports, better preferences first, never addresses. `print` changes where an address or a
 * preference does, but not with the order in which the DNS gives its answers. `about`: the names looked up. `expiresAtMs`: when to look again.
 */
export type Servers = Readonly<{
  kind: 'servers';
  names: string;
  print: string;
  tiers: readonly (readonly Server[])[];
  within: 'rotate' | 'shuffle';
  about: readonly string[];
  expiresAtMs: number;
}>;

/** The servers, or what is known about every recipient of the domain without asking one. */
export type Resolved =
  | Servers
  | Readonly<{ kind: 'known'; verdict: Verdict; about: readonly string[]; expiresAtMs: number }>;

/** What looking up takes. `us` is asked anew each time: listeners come and go. `random`: in [0, 1). */
export type Lookup = Readonly<{
  dns: Dns;
  hosts: Hosts;
  us: () => Us;
  allowReserved: boolean;
  now: () => number;
  random: () => number;
}>;

/** The port of SMTP where nobody says another (RFC 5321 §4.5.4.2). */
export const DEFAULT_PORT = 25;

export function rulesOf(lookup: Lookup, port: number | null, written: ReadonlySet<string>): Rules {
  return { ...lookup, us: lookup.us(), port: port ?? DEFAULT_PORT, written };
}

export function trouble(cause: Cause, detail: string, about: readonly string[], expiresAtMs: number): Resolved {
  return { kind: 'known', verdict: failed(cause, detail), about, expiresAtMs };
}

/** A server with its addresses in the order to try them: exchanges as given, in each IPv4 first, else by chance. */
export function toServer(host: string, port: number, exchanges: readonly Exchange[], random: () => number): Server {
  const targets = exchanges.flatMap(({ name, addresses }) =>
    shuffle(addresses, random)
      .sort((a, b) => Number(a.includes(':')) - Number(b.includes(':')))
      .map((address) => ({ name, address })),
  );
  return { kind: 'tcp', host, port, targets };
}

export function shuffle<T>(list: readonly T[], random: () => number): T[] {
  return list
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

export function printOf(exchanges: readonly Exchange[]): string {
  return exchanges.map((each) => `${each.preference} ${each.name} ${each.addresses.join(' ')}`).join(',');
}
