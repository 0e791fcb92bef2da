import type { DeliveryRequest, Hop } from '@callahead/core';
import type { Hops } from './stage.ts';
import { canonicalAddress } from './targets.ts';

/** The first stage: the recipient's own domain is the host to look up (SPEC 5.1), an address literal is looked up nowhere (RFC 5321 §4.1.3). */
export function createDomainStage(now: () => number): (at: Hops, request: DeliveryRequest) => Hops {
  // Recipients come in groups of one domain.
  let last = { domain: '', hops: [hopOf('')] as const };
  return (at, request) => {
    const { domain } = at.recipient;
    if (last.domain !== domain) last = { domain, hops: [hopOf(domain)] };
    const [hop] = last.hops;
    request.recorder?.({
      stage: 'domain',
      atMs: now(),
      facts: { domain, literal: hop.lookup === 'none' ? hop.name : 'no' },
    });
    return { ...at, named: 'recipient', hops: last.hops };
  };
}

/** The host to look up for a domain: the domain itself, or the address of a literal. */
export function hopOf(domain: string): Hop {
  const literal = domain.startsWith('[') ? /^\[(?:ipv6:)?(.*)\]$/i.exec(domain)?.[1] : undefined;
  if (literal === undefined) return { name: domain, port: null, portFrom: 'default', lookup: 'mx' };
  return { name: canonicalAddress(literal) ?? literal, port: null, portFrom: 'default', lookup: 'none' };
}
