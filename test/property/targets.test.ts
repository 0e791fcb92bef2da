import test from 'ava';
import fc from 'fast-check';
import {
  canonicalAddress,
  type Exchange,
  isOurs,
  isReserved,
  type Us,
  withoutLoop,
} from '../../packages/routing/src/targets.ts';

const NAMES = ['a.example', 'b.example', 'c.example', 'us.example'];
const ADDRESSES = ['192.0.2.1', '192.0.2.2', '198.51.100.1', '127.0.0.1', '2001:db8::1'];

const exchange: fc.Arbitrary<Exchange> = fc.record({
  name: fc.constantFrom(...NAMES),
  preference: fc.integer({ min: 0, max: 5 }),
  addresses: fc.uniqueArray(fc.constantFrom(...ADDRESSES), { maxLength: 3 }),
});

const us: fc.Arbitrary<Us> = fc.record({
  names: fc.constantFrom(new Set<string>(), new Set(['us.example'])),
  addresses: fc.constantFrom(new Set<string>(), new Set(['198.51.100.1'])),
  sockets: fc.subarray([
    { host: '192.0.2.1', port: 25 },
    { host: '0.0.0.0', port: 25 },
    { host: '::', port: 26 },
  ]),
  machine: fc.constantFrom(new Set(['127.0.0.1', '192.0.2.2'])),
});

test('what is left of a list is exactly what is better than the best entry that is ours, in its order', (t) => {
  fc.assert(
    fc.property(fc.array(exchange), fc.constantFrom(25, 26), us, (list, port, who) => {
      const ours = list.filter(
        (each) => who.names.has(each.name) || each.addresses.some((address) => isOurs(address, port, who)),
      );
      const kept = withoutLoop(list, port, who);
      t.deepEqual(
        kept,
        list.filter((each) => ours.every((own) => each.preference < own.preference)),
      );
    }),
  );
});

test('dropping a loop twice drops nothing more', (t) => {
  fc.assert(
    fc.property(fc.array(exchange), fc.constantFrom(25, 26), us, (list, port, who) => {
      const once = withoutLoop(list, port, who);
      t.deepEqual(withoutLoop(once, port, who), once);
    }),
  );
});

test('every spelling of an address is judged alike', (t) => {
  fc.assert(
    fc.property(fc.ipV6(), (address) => {
      const canonical = canonicalAddress(address) ?? '';
      t.is(isReserved(address), isReserved(canonical));
      t.is(isReserved(address.toUpperCase()), isReserved(canonical));
      t.is(canonicalAddress(canonical), canonical);
    }),
  );
});

test('an IPv4 address is never usable as a v4-mapped one, and both are ours or neither', (t) => {
  fc.assert(
    fc.property(fc.ipV4(), us, (address, who) => {
      t.true(isReserved(`::ffff:${address}`));
      t.is(isOurs(`::ffff:${address}`, 25, who), isOurs(address, 25, who));
    }),
  );
});

test('the reserved IPv4 addresses are those of four blocks, by their bits', (t) => {
  const blocks = [
    [0x00000000, 8],
    [0x7f000000, 8],
    [0xa9fe0000, 16],
    [0xe0000000, 4],
  ] as const;
  const near = fc
    .constantFrom(...blocks)
    .chain(([base, bits]) => fc.constantFrom(-1, 0, 1, 2 ** (32 - bits) - 1, 2 ** (32 - bits)).map((by) => base + by));
  const anyAddress = fc.integer({ min: 0, max: 0xffffffff });
  fc.assert(
    fc.property(fc.oneof(near, anyAddress), (number) => {
      const value = ((number % 2 ** 32) + 2 ** 32) % 2 ** 32;
      const address = [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
      const inside = blocks.some(([base, bits]) => value >= base && value < base + 2 ** (32 - bits));
      t.is(isReserved(address), inside, address);
    }),
  );
});

test('no text whatever makes them throw', (t) => {
  fc.assert(
    fc.property(fc.string(), us, (text, who) => {
      t.notThrows(() => [isReserved(text), isOurs(text, 25, who), canonicalAddress(text)]);
    }),
  );
});
