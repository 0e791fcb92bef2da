/** Host access tables against the plainest reading of SPEC 6.2: entry by entry, first match wins. */
import { BlockList, isIPv4 } from 'node:net';
import test from 'ava';
import fc from 'fast-check';
import { addressNumber, parseHostPattern } from '../../packages/core/src/access/host-pattern.ts';
import { hostTable } from '../support/hosts.ts';

// Few values, so that entries overlap and clients hit them.
const octet = fc.oneof(fc.constantFrom(0, 1, 2, 10, 127, 128, 255), fc.nat(255));
const v4 = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join('.'));
const group = fc.constantFrom('0', '1', 'db8', '2001', 'ffff', '8000').map((text) => text);
const v6 = fc.tuple(group, group, group, group, group, group, group, group).map((groups) => groups.join(':'));
const name = fc
  .array(fc.constantFrom('a', 'b', 'mail', 'bad', 'example'), { minLength: 2, maxLength: 4 })
  .map((labels) => labels.join('.'));

type Entry = Readonly<{ text: string; matches: (address: string, names: readonly string[]) => boolean }>;

function within(add: (list: BlockList) => void): Entry['matches'] {
  const list = new BlockList();
  add(list);
  return (address) => list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}

function networkOf(address: string, bits: number): string {
  const octets = address.split('.').reduce((sum, each) => sum * 256 + Number(each), 0);
  const size = 2 ** (32 - bits);
  const first = Math.floor(octets / size) * size;
  return [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.');
}

function network6Of(address: string, bits: number): string {
  const kept = address
    .split(':')
    .map((each) => Number.parseInt(each, 16).toString(2).padStart(16, '0'))
    .join('')
    .slice(0, bits)
    .padEnd(128, '0');
  return Array.from({ length: 8 }, (_, i) => Number.parseInt(kept.slice(i * 16, i * 16 + 16), 2).toString(16)).join(
    ':',
  );
}

const entry: fc.Arbitrary<Entry> = fc.oneof(
  v4.map((text) => ({ text, matches: (address: string) => address === text })),
  v6.map((text) => ({ text, matches: within((list) => list.addAddress(text, 'ipv6')) })),
  fc.tuple(v4, fc.nat(32)).map(([address, bits]) => {
    const network = networkOf(address, bits);
    return { text: `${network}/${bits}`, matches: within((list) => list.addSubnet(network, bits, 'ipv4')) };
  }),
  // No client here is of IPv4 in IPv6's clothes, and node's BlockList would have 0:0:0:0:0:ffff::/96 match IPv4 too.
  fc.tuple(v6, fc.integer({ min: 97, max: 128 })).map(([address, bits]) => {
    const network = network6Of(address.replace(/^0/, '2001'), bits);
    return { text: `${network}/${bits}`, matches: within((list) => list.addSubnet(network, bits, 'ipv6')) };
  }),
  fc.tuple(v4, octet).map(([address, other]) => {
    const [a, b, c, d] = address.split('.').map(Number);
    const [from, to] = Number(d) < other ? [Number(d), other] : [other, Number(d)];
    const text = `${a}.${b}.${c}.${from}-${to}`;
    const last = `${a}.${b}.${c}.${to}`;
    return { text, matches: within((list) => list.addRange(`${a}.${b}.${c}.${from}`, last, 'ipv4')) };
  }),
  fc.tuple(v4, fc.integer({ min: 1, max: 3 })).map(([address, count]) => {
    const text = `${address.split('.').slice(0, count).join('.')}.`;
    return { text, matches: (client: string) => client.startsWith(text) };
  }),
  name.map((text) => ({ text, matches: (_: string, names: readonly string[]) => names.includes(text) })),
  name.map((domain) => ({
    text: `.${domain}`,
    matches: (_: string, names: readonly string[]) => names.some((each) => each.endsWith(`.${domain}`)),
  })),
  fc.constant({ text: 'ALL', matches: () => true }),
);

const client = fc.oneof(
  v4,
  v6.map((address) => address.replace(/^0/, '2001')),
);

test('a table decides as reading it entry by entry does, and asks for names only where that meets one', async (t) => {
  const tables = fc.array(fc.array(entry, { minLength: 1, maxLength: 6 }), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(tables, client, fc.array(name, { maxLength: 3 }), async (groups, address, names) => {
      const table = hostTable(
        Object.fromEntries(groups.map((entries, i) => [`g${i}`, entries.map(({ text }) => text)])),
      );
      let asked = false;
      const decided = await table.decide(address, async () => {
        asked = true;
        return names;
      });
      const entries = groups.flatMap((all, i) => all.map((each) => ({ ...each, group: `g${i}` })));
      const expected = entries.find((each) => each.matches(address, names));
      t.is(decided.group, expected?.group ?? '');
      t.is(decided.entry, expected?.text ?? '');
      const byAddress = entries.findIndex((each) => each.matches(address, []));
      const read = byAddress === -1 ? entries : entries.slice(0, byAddress);
      t.is(
        asked,
        read.some(({ text }) => /^\.?[a-z]/.test(text) && !text.includes(':')),
      );
    }),
    { numRuns: 2_000 },
  );
});

test('a network holds the addresses between its bounds and no other, however large', (t) => {
  fc.assert(
    fc.property(entry, client, ({ text, matches }, address) => {
      const parsed = parseHostPattern(text);
      if (parsed.kind === 'bad') return t.fail(parsed.message);
      const { pattern } = parsed;
      t.is(pattern.text, text);
      if (pattern.kind !== 'addresses') return;
      const number = addressNumber(address) ?? -1n;
      t.is(pattern.first <= number && number <= pattern.last, matches(address, []));
    }),
    { numRuns: 2_000 },
  );
});

test('a text is a pattern or a message, and never an exception', (t) => {
  const characters = fc.constantFrom(...'0123456789abcdef.:/-[]%*@ \tALLüé'.split(''));
  const texts = fc.oneof(
    fc.string(),
    fc.array(characters).map((all) => all.join('')),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const parsed = parseHostPattern(text);
      if (parsed.kind === 'bad') t.true(parsed.message.startsWith(`${JSON.stringify(text)} is no host pattern: `));
      else t.is(parsed.pattern.text, text);
    }),
  );
});
