import { parse } from 'tldts';
import type { AccessPattern } from './access-pattern.ts';
import type { Policy } from './host-access.ts';
import { ADDRESSES, type HostPattern } from './host-pattern.ts';
import type { AccessEntry } from './recipient-access.ts';

/** The first pattern, as written, by which a table accepts everybody's mail: `ALL`, or a public suffix such as `com` or `.co.uk` (SPEC 6.1). null: there is none. */
export function openRelay(entries: readonly Pick<AccessEntry, 'action' | 'patterns'>[]): string | null {
  for (const entry of entries) {
    for (const pattern of entry.patterns) {
      if (entry.action === 'accept' && isEverybodys(pattern)) return pattern.text;
      // Nothing behind an ALL is ever reached.
      if (pattern.kind === 'all') return null;
    }
  }
  return null;
}

function isEverybodys(pattern: AccessPattern): boolean {
  switch (pattern.kind) {
    case 'all':
      return true;
    case 'domain':
    case 'subdomains':
      return isPublicSuffix(pattern.domain);
    case 'address':
    case 'user':
      return false;
  }
}

/** The first pattern, as written, by which a table of hosts lets everybody relay: `ALL`, a network too large to be somebody's own, or a public suffix. null: there is none. */
export function openToHosts(
  groups: readonly Readonly<{ action: Policy['action']; patterns: readonly HostPattern[] }>[],
): string | null {
  for (const { action, patterns } of groups) {
    for (const pattern of patterns) {
      if (action === 'relay' && isEverybodysHost(pattern)) return pattern.text;
      if (pattern.kind === 'all') return null;
    }
  }
  return null;
}

function isEverybodysHost(pattern: HostPattern): boolean {
  switch (pattern.kind) {
    case 'all':
      return true;
    case 'addresses':
      return isEverybodysNetwork(pattern.first, pattern.last);
    case 'suffix':
    case 'name':
      return isPublicSuffix(pattern.kind === 'suffix' ? pattern.domain : pattern.name);
  }
}

/** Nobody owns more than a /8 of IPv4, nor more than a /12 of IPv6 but its private part, fc00::/7 (RFC 4193). */
function isEverybodysNetwork(first: bigint, last: bigint): boolean {
  if (first < ADDRESSES.v4) return last - first >= 1n << 24n;
  const isPrivate = (first - ADDRESSES.v4) >> 121n === 0xfcn >> 1n;
  return !isPrivate && last - first >= 1n << 116n;
}

// Only what a registry sells: names like `internal` or `localhost` are in no list, and who accepts for them means his own network.
function isPublicSuffix(domain: string): boolean {
  const { publicSuffix, isIcann } = parse(domain, { allowPrivateDomains: false });
  return isIcann === true && publicSuffix === domain;
}
