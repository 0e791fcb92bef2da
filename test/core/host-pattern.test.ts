import test from 'ava';
import { addressNumber, parseHostPattern } from '../../packages/core/src/access/host-pattern.ts';

function range(text: string): readonly [bigint, bigint] | string {
  const parsed = parseHostPattern(text);
  if (parsed.kind === 'bad') return parsed.message;
  return parsed.pattern.kind === 'addresses' ? [parsed.pattern.first, parsed.pattern.last] : parsed.pattern.kind;
}

for (const [text, first, last] of [
  ['192.0.2.1', '192.0.2.1', '192.0.2.1'],
  ['192.0.2.0/24', '192.0.2.0', '192.0.2.255'],
  ['0.0.0.0/0', '0.0.0.0', '255.255.255.255'],
  ['192.0.2.7/32', '192.0.2.7', '192.0.2.7'],
  ['198.51.100.1-9', '198.51.100.1', '198.51.100.9'],
  ['198.51.100.0-255', '198.51.100.0', '198.51.100.255'],
  ['10.', '10.0.0.0', '10.255.255.255'],
  ['192.168.', '192.168.0.0', '192.168.255.255'],
  ['192.168.7.', '192.168.7.0', '192.168.7.255'],
  ['2001:DB8::1', '2001:db8::1', '2001:db8:0:0::1'],
  ['2001:db8::/32', '2001:db8::', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['::ffff:192.0.2.0/120', '192.0.2.0', '192.0.2.255'],
  ['::ffff:0:0/96', '0.0.0.0', '255.255.255.255'],
] as const) {
  test(`${text} is the addresses from ${first} to ${last}`, (t) => {
    t.deepEqual(range(text), [addressNumber(first), addressNumber(last)]);
  });
}

for (const [text, why] of [
  ['*.example', 'there are no wildcards: write .domain, 192.168. or ALL'],
  ['192.168.*', 'there are no wildcards: write .domain, 192.168. or ALL'],
  ['user@example.com', 'senders are not matched, only the hosts that connect: write an address or a name'],
  ['[192.0.2.1]', 'write the address without brackets'],
  ['192.0.2.1/24', 'it has bits behind its prefix: the network is 192.0.2.0/24'],
  ['2001:db8::1/32', 'it has bits behind its prefix: the network is 2001:db8::/32'],
  ['192.0.2.0/33', 'the prefix of an IPv4 network is 0..32'],
  ['2001:db8::/129', 'the prefix of an IPv6 network is 0..128'],
  ['192.0.2.0/', 'the prefix of an IPv4 network is 0..32'],
  ['192.0.2/24', 'expected address/prefix, like 192.0.2.0/24'],
  ['192.0.2.0/24/8', 'expected address/prefix, like 192.0.2.0/24'],
  ['192.0.2.9-1', 'it ends before it begins: expected a range of the last number, like 192.0.2.1-9'],
  ['192.0.2.1-256', 'expected a range of the last number, like 192.0.2.1-9, up to 255'],
  ['192.0.2.1-192.0.2.9', 'expected a range of the last number, like 192.0.2.1-9'],
  ['10', 'expected a whole address, or its beginning up to a dot, like 10. or 192.168.'],
  ['192.168', 'expected a whole address, or its beginning up to a dot, like 10. or 192.168.'],
  ['300.', 'expected a whole address, or its beginning up to a dot, like 10. or 192.168.'],
  ['192.0.2.1.', 'expected a whole address, or its beginning up to a dot, like 10. or 192.168.'],
  ['192.0.02.1', 'expected a whole address, or its beginning up to a dot, like 10. or 192.168.'],
  ['fe80::1%eth0', 'an address has no zone here'],
  ['192.0.2.1:25', 'it is no IPv6 address, and a client has no port'],
  ['2001:db8:', 'it is no IPv6 address, and a client has no port'],
  [
    'a_b.example',
    'expected an address, a network like 192.0.2.0/24, 192.0.2.1-9, 192.168., a host name, .domain or ALL',
  ],
  ['', 'expected an address, a network like 192.0.2.0/24, 192.0.2.1-9, 192.168., a host name, .domain or ALL'],
] as const) {
  test(`${JSON.stringify(text)} is no pattern, and the message says what would be right`, (t) => {
    t.is(range(text), `${JSON.stringify(text)} is no host pattern: ${why}`);
  });
}

test('a network of IPv6 that holds the addresses of IPv4 matches those of IPv6 only', (t) => {
  const six = addressNumber('::') ?? 0n;
  t.deepEqual(range('::/80'), [six, six + (1n << 48n) - 1n]);
  t.deepEqual(range('::/0'), [six, six + (1n << 128n) - 1n]);
});

test('names are in canonical form', (t) => {
  t.like(parseHostPattern('Mail.EXAMPLE.com.'), { pattern: { kind: 'name', name: 'mail.example.com' } });
  t.like(parseHostPattern('.Bücher.example'), { pattern: { kind: 'suffix', domain: 'xn--bcher-kva.example' } });
  t.like(parseHostPattern('all'), { pattern: { kind: 'all', text: 'all' } });
});

test('an IPv4 address is the same one as IPv6, and a zone is left aside', (t) => {
  t.is(addressNumber('::ffff:192.0.2.1'), addressNumber('192.0.2.1'));
  t.is(addressNumber('fe80::1%eth0'), addressNumber('fe80::1'));
  t.not(addressNumber('::192.0.2.1'), addressNumber('192.0.2.1'));
  t.is(addressNumber('mail.example'), null);
});
