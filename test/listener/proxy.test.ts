import test from 'ava';
import { readProxyHeader } from '../../packages/listener/src/smtp/proxy.ts';
import { proxyBlock, proxyBlock4, proxyBlock6, proxyLine } from '../support/proxy-headers.ts';

const read = (octets: string | Buffer) => readProxyHeader(Buffer.from(octets as string, 'latin1'));

const none = Buffer.alloc(0);

test('the client is the source of the line, and what follows is kept', (t) => {
  t.deepEqual(read(`${proxyLine('203.0.113.7', 1234)}EHLO`), {
    kind: 'header',
    client: { address: '203.0.113.7', port: 1234 },
    rest: Buffer.from('EHLO'),
  });
  t.like(read(proxyLine('2001:DB8:0:0::7')), { client: { address: '2001:db8::7', port: 40_000 } });
  t.like(read(proxyLine('::ffff:203.0.113.7')), { client: { address: '203.0.113.7' } });
});

test('the client is the source of the block, and what stands behind the addresses is skipped', (t) => {
  const header = Buffer.concat([proxyBlock4('203.0.113.7', 1234, Buffer.alloc(500)), Buffer.from('EHLO')]);
  t.deepEqual(readProxyHeader(header), {
    kind: 'header',
    client: { address: '203.0.113.7', port: 1234 },
    rest: Buffer.from('EHLO'),
  });
  const six = Buffer.from('20010db8000000000000000000000007', 'hex');
  t.like(readProxyHeader(proxyBlock6(six)), { client: { address: '2001:db8::7', port: 40_000 } });
  const mapped = Buffer.from('00000000000000000000ffffcb007107', 'hex');
  t.like(readProxyHeader(proxyBlock6(mapped)), { client: { address: '203.0.113.7' } });
});

test('a proxy may speak for itself, or for somebody whom it does not name', (t) => {
  const unnamed = { kind: 'header', client: null, rest: none } as const;
  t.deepEqual(read('PROXY UNKNOWN\r\n'), unnamed);
  t.deepEqual(read('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n'), unnamed);
  t.deepEqual(readProxyHeader(proxyBlock(0, none, none, 0)), unnamed);
  t.deepEqual(readProxyHeader(proxyBlock(0x11, Buffer.alloc(12), none, 0)), unnamed);
  t.deepEqual(readProxyHeader(proxyBlock(0, Buffer.alloc(9))), unnamed);
});

const LINE = 'PROXY TCP6 ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n';
const BAD: readonly [string, string | Buffer][] = [
  ['SMTP', 'EHLO client.example\r\n'],
  ['TLS', Buffer.from('160301', 'hex')],
  ['another case', 'proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n'],
  ['an unknown family', 'PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n'],
  ['no family', 'PROXY \r\n'],
  ['a short line', 'PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n'],
  ['a longer line', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n'],
  ['a name', 'PROXY TCP4 client.example 192.0.2.2 1 2\r\n'],
  ['an IPv6 address as TCP4', 'PROXY TCP4 ::1 192.0.2.2 1 2\r\n'],
  ['an IPv4 address as TCP6', 'PROXY TCP6 192.0.2.1 ::1 1 2\r\n'],
  ['a zone', 'PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n'],
  ['a port that is none', 'PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n'],
  ['a port with a sign', 'PROXY TCP4 192.0.2.1 192.0.2.2 +1 2\r\n'],
  ['two spaces', 'PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n'],
  ['107 octets without an end', `PROXY UNKNOWN ${'x'.repeat(93)}`],
  ['an end behind 107 octets', `PROXY UNKNOWN ${'x'.repeat(92)}\r\n`],
  ['a bare LF', `PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n${'x'.repeat(107)}`],
  ['the example of how long a line may be', LINE],
  ['another version', Buffer.concat([proxyBlock4('192.0.2.1').subarray(0, 12), Buffer.from('31110000', 'hex')])],
  ['an unknown command', proxyBlock(0x11, Buffer.alloc(12), none, 2)],
  ['a unix socket', proxyBlock(0x31, Buffer.alloc(216))],
  ['datagrams', proxyBlock(0x12, Buffer.alloc(12))],
  ['too few octets for addresses', proxyBlock(0x21, Buffer.alloc(35))],
  ['more than anybody sends', proxyBlock4('192.0.2.1', 1, Buffer.alloc(4_096)).subarray(0, 16)],
];
for (const [what, octets] of BAD) {
  test(`${what} is no header`, (t) => {
    const header = readProxyHeader(typeof octets === 'string' ? Buffer.from(octets, 'latin1') : octets);
    t.is(header.kind, 'bad');
  });
}

test('a line of 107 octets with its end is none too long', (t) => {
  const line = `PROXY UNKNOWN ${'x'.repeat(91)}\r\n`;
  t.is(line.length, 107);
  t.is(read(line).kind, 'header');
});
