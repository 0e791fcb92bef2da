/** Proxies before a listener, which say whom they speak for (SPEC 9.2). */
import { isIP } from 'node:net';
import type { Network } from '../settings.ts';
import { canonicalAddress } from './endpoints.ts';
import { type Fault, warningAt } from './faults.ts';
import { list, section, text } from './fields.ts';
import { fault, type Parsed, show, value } from './parsed.ts';
import { isPlain, keysOf, type Plain } from './plain.ts';

const EXPECTED = 'an IP address or a network such as 192.0.2.0/24';

export const proxyProtocol = section(
  {
    trusted: list(
      text(parseNetwork, EXPECTED, 'A proxy, or a network of them.'),
      'IP addresses or networks',
      'The proxies. Each connection of theirs must begin with a PROXY header, version 1 or 2, and is the client that it names; other clients must not send one.',
    ).refine((networks) => networks.length > 0, { error: `[] is empty: expected ${EXPECTED}` }),
  },
  'Proxies before this listener that speak the PROXY protocol; left out, none.',
).optional();

/** A network of everybody lets everybody say that he is somebody else. */
export function checkProxies(root: Plain): readonly Fault[] {
  return keysOf(root, 'listeners').flatMap(([name, { proxyProtocol: written }]) => {
    if (!isPlain(written)) return [];
    const trusted = Array.isArray(written.trusted) ? written.trusted : [written.trusted];
    return trusted.flatMap((network: unknown, index) => {
      const parsed = typeof network === 'string' ? parseNetwork(network) : fault('');
      if (parsed.kind === 'fault' || parsed.value.prefix > 0) return [];
      const message = `${show(network)} lets every client say that it is another: expected the addresses of your proxies`;
      return [warningAt(['listeners', name, 'proxyProtocol', 'trusted', index], message)];
    });
  });
}

function parseNetwork(input: string): Parsed<Network> {
  const [, written = '', bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(input.trim()) ?? [];
  const address = isIP(written) === 0 ? null : canonicalAddress(written);
  if (address === null) return fault('is neither an address nor a network');
  const longest = isIP(address) === 4 ? 32 : 128;
  const prefix = bits === undefined ? longest : Number(bits);
  return prefix > longest ? fault(`has more than ${longest} bits`) : value({ address, prefix });
}
