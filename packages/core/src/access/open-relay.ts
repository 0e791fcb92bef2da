import { parse } from 'tldts';
import type { AccessPattern } from './access-pattern.ts';
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

// Only what a registry sells: names like `internal` or `localhost` are in no list, and who accepts for them means his own network.
function isPublicSuffix(domain: string): boolean {
  const { publicSuffix, isIcann } = parse(domain, { allowPrivateDomains: false });
  return isIcann === true && publicSuffix === domain;
}
