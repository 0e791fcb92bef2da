import test from 'ava';
import {
  canonicalAddress,
  type Exchange,
  isOurs,
  isReserved,
  type Us,
  withoutLoop,
} from '../../packages/routing/src/targets.ts';

const us: Us = {
  names: new Set(['gateway.example']),
  addresses: new Set(['203.0.113.7']),
  sockets: [
    { host: '192.0.2.10', port: 25 },
    { host: '0.0.0.0', port: 2525 },
    { host: '::', port: 2526 },
  ],
  machine: new Set(['127.0.0.1', '::1', '192.0.2.10', '2001:db8::10']),
};

for (const address of [
  '127.0.0.1',
  '127.255.255.254',
  '::1',
  '0:0:0:0:0:0:0:1',
  '0.0.0.0',
  '0.1.2.3',
  '::',
  '169.254.0.1',
  '169.254.169.254',
  'fe80::1',
  'febf::1',
  'fe80::1%eth0',
  '224.0.0.1',
  '239.255.255.255',
  'ff02::1',
  '::ffff:127.0.0.1',
  '::ffff:192.0.2.1',
  '::FFFF:C000:201',
  '0:0:0:0:0:ffff:0:0',
  'no address',
  '',
])
  test(`${JSON.stringify(address)} is reserved`, (t) => {
    t.true(isReserved(address));
  });

for (const address of [
  '192.0.2.1',
  '10.0.0.1',
  '172.16.0.1',
  '192.168.1.1',
  '128.0.0.1',
  '126.255.255.255',
  '169.253.0.1',
  '223.255.255.255',
  '240.0.0.1',
  '1.0.0.0',
  '2001:db8::1',
  'fec0::1',
  'fd00::1',
  '::2',
  '1::',
  '::ffff:1',
  '0:0:0:0:ffff:0:0:1',
])
  test(`${address} is not reserved`, (t) => {
    t.false(isReserved(address));
  });

test('addresses are compared in one spelling', (t) => {
  t.is(canonicalAddress('2001:DB8:0:0::1'), '2001:db8::1');
  t.is(canonicalAddress('192.0.2.1'), '192.0.2.1');
  t.is(canonicalAddress('192.0.2'), null);
  t.is(canonicalAddress('mx.example'), null);
});

test('a socket on one address is ours on that address and port', (t) => {
  t.true(isOurs('192.0.2.10', 25, us));
  t.true(isOurs('::ffff:192.0.2.10', 25, us));
  t.false(isOurs('192.0.2.10', 26, us));
  t.false(isOurs('192.0.2.11', 25, us));
  t.false(isOurs('127.0.0.1', 25, us));
});

test('a socket on 0.0.0.0 or :: is ours on every address of the machine, loopback and unspecified ones too', (t) => {
  for (const port of [2525, 2526])
    for (const address of ['192.0.2.10', '2001:db8::10', '127.0.0.1', '127.9.9.9', '::1', '0.0.0.0', '::'])
      t.true(isOurs(address, port, us), `${address} ${port}`);
  t.false(isOurs('192.0.2.11', 2525, us));
});

test('an address of `self` is ours on every port', (t) => {
  t.true(isOurs('203.0.113.7', 25, us));
  t.true(isOurs('203.0.113.7', 4025, us));
});

function entry(preference: number, name: string, ...addresses: string[]): Exchange {
  return { preference, name, addresses };
}

function kept(list: readonly Exchange[], port = 25): string[] {
  return withoutLoop(list, port, us).map((each) => each.name);
}

test('our own entry and all of equal or worse preference are dropped', (t) => {
  const list = [
    entry(5, 'a.example', '198.51.100.1'),
    entry(10, 'b.example', '198.51.100.2'),
    entry(10, 'us.example', '198.51.100.3', '192.0.2.10'),
    entry(20, 'c.example', '198.51.100.4'),
  ];
  t.deepEqual(kept(list), ['a.example']);
  t.deepEqual(kept(list, 26), ['a.example', 'b.example', 'us.example', 'c.example']);
});

test('our host name in a list is us whatever its addresses', (t) => {
  t.deepEqual(kept([entry(5, 'a.example', '198.51.100.1'), entry(10, 'gateway.example')]), ['a.example']);
  t.deepEqual(kept([entry(5, 'gateway.example', '198.51.100.1'), entry(10, 'b.example')]), []);
});

test('the best of our entries counts where several are ours', (t) => {
  t.deepEqual(
    kept([
      entry(5, 'a.example'),
      entry(10, 'gateway.example'),
      entry(20, 'b.example'),
      entry(30, 'x.example', '203.0.113.7'),
    ]),
    ['a.example'],
  );
});
