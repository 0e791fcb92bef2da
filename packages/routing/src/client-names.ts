import { isIPv4 } from 'node:net';
import type { NamesOf } from '@callahead/core';
import { by } from './deadline.ts';
import type { Answer, Dns } from './dns.ts';
import { canonicalAddress } from './targets.ts';

/** Names behind these are not looked at: whoever runs the reverse zone of an address may put any number of names there. */
const MAX_NAMES = 10;

/**
 * The names of a client that can be believed: those of reverse DNS that lead back to its address (SPEC 6.2), as anybody may claim any name for the
 * addresses he has. All of it within `timeoutMs`; where the DNS fails or says nothing there are none. What was learnt is remembered as all DNS answers are.
 */
export function createClientNames(
  dns: Pick<Dns, 'look'>,
  { timeoutMs, now }: Readonly<{ timeoutMs: number; now: () => number }>,
): NamesOf {
  async function verify(name: string, address: string): Promise<readonly string[]> {
    const answer = await dns.look(isIPv4(address) ? 'A' : 'AAAA', name);
    return valuesOf(answer).some((value) => canonicalAddress(value) === address) ? [name] : [];
  }

  async function find(address: string): Promise<readonly string[]> {
    const claimed = valuesOf(await dns.look('PTR', reverseName(address))).map(canonicalName);
    const names = [...new Set(claimed)].filter((name) => name !== '').slice(0, MAX_NAMES);
    return (await Promise.all(names.map((name) => verify(name, address)))).flat();
  }

  return async (client) => {
    const address = canonicalAddress(client);
    if (address === null) return [];
    return by(find(address), now() + timeoutMs, now, () => []);
  };
}

function valuesOf(answer: Answer): readonly string[] {
  return answer.kind === 'found' ? answer.records.map(({ value }) => value) : [];
}

function canonicalName(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

/** RFC 1035 §3.5, RFC 3596 §2.5. */
function reverseName(address: string): string {
  if (isIPv4(address)) return `${address.split('.').reverse().join('.')}.in-addr.arpa`;
  const [head = '', tail = ''] = address.split('::');
  const before = head === '' ? [] : head.split(':');
  const behind = tail === '' ? [] : tail.split(':');
  const zeros = Array<string>(8 - before.length - behind.length).fill('');
  const digits = [...before, ...zeros, ...behind].map((group) => group.padStart(4, '0')).join('');
  return `${[...digits].reverse().join('.')}.ip6.arpa`;
}
