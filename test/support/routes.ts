/** Routes and recipients for tests of the engine. */
import type { Probe, Recipient, Route } from '@callahead/core';
import { staticRoute } from '@callahead/workers';

export const PROBE: Probe = staticRoute({
  heloName: 'gateway.example',
  servers: [],
  probe: { selfNames: ['gateway.example'], connectTimeoutMs: 2_000, commandTimeoutMs: 5_000 },
}).probe;

/** A route of profile `corp` to servers on 127.0.0.1, by their ports in order. */
export function routeTo(
  ports: readonly number[],
  probe: Partial<Probe> = {},
  over: Partial<Omit<Route, 'probe'>> = {},
): Route {
  const targets = [{ name: '127.0.0.1', address: '127.0.0.1' }];
  return {
    key: `corp ${ports.map((port) => `127.0.0.1:${port}`).join(',')}`,
    generation: 1,
    profile: 'corp',
    probe: { ...PROBE, ...probe },
    tiers: [ports.map((port) => ({ kind: 'tcp', host: '127.0.0.1', port, targets }))],
    within: 'rotate',
    ...over,
  };
}

export function recipientAt(address: string): Recipient {
  const at = address.lastIndexOf('@');
  return { address, local: address.slice(0, at), domain: address.slice(at + 1), utf8: false };
}
