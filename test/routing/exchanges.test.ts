import test from 'ava';
import { addressesOf, exchangesOf, locate, type Rules } from '../../packages/routing/src/exchanges.ts';
import { type Table, tableDns, US } from '../support/table-dns.ts';

function rules(table: Table, over: Partial<Rules> = {}): Rules {
  return {
    dns: tableDns(table),
    us: US,
    port: 25,
    allowReserved: false,
    written: new Set(),
    now: () => 0,
    ...over,
  };
}

function mx(...texts: string[]): ReturnType<typeof exchangesOf> {
  return exchangesOf(
    texts.map((text) => {
      const space = text.indexOf(' ');
      return { preference: Number(text.slice(0, space)), value: text.slice(space + 1) };
    }),
  );
}

test('exchanges come in preference order, equal ones by name, each once at its best', (t) => {
  t.deepEqual(
    mx('20 C.example.', '10 b.example', '10 a.example', '30 a.example').map(
      (each) => `${each.preference} ${each.name}`,
    ),
    ['10 a.example', '10 b.example', '20 c.example'],
  );
});

test('what is no name of a host is dropped; an address in its place is taken as one', (t) => {
  t.deepEqual(
    mx(
      '1 ',
      '2 a b.example',
      '3 x\r\ny.example',
      '4 a..b',
      `5 ${'a'.repeat(64)}.example`,
      '6 192.0.2.1.',
      '7 under_score.example',
    ).map((each) => each.name),
    ['192.0.2.1', 'under_score.example'],
  );
});

test('A and AAAA make one list, IPv4 first, each in one spelling', async (t) => {
  const listed = await locate(
    mx('10 mx.example'),
    60_000,
    rules({ 'AAAA mx.example': ['2001:DB8::2', '2001:db8::1'], 'A mx.example': ['192.0.2.9', '192.0.2.1'] }),
  );
  t.deepEqual(listed.kind === 'listed' ? listed.exchanges[0]?.addresses : [], [
    '192.0.2.1',
    '192.0.2.9',
    '2001:db8::1',
    '2001:db8::2',
  ]);
});

test.serial('a name server that never answers for AAAA delays what A found by half a second at most', async (t) => {
  const before = performance.now();
  const answer = await addressesOf('mx.example', rules({ 'A mx.example': ['192.0.2.1'], 'AAAA mx.example': 'never' }));
  t.is(answer.kind, 'found');
  t.true(performance.now() - before < 1_500);
});

test('no A but a failing AAAA is a failure, and so is the reverse', async (t) => {
  t.is(
    (await addressesOf('x.example', rules({ 'A x.example': [], 'AAAA x.example': 'servfail', 'MX x.example': [] })))
      .kind,
    'found',
  );
  const only = { 'MX x.example': [] };
  t.is((await addressesOf('x.example', rules({ ...only, 'AAAA x.example': 'servfail' }))).kind, 'failed');
  t.is((await addressesOf('x.example', rules({ ...only, 'A x.example': 'timeout' }))).kind, 'failed');
  t.is(
    (await addressesOf('x.example', rules({ 'A x.example': 'timeout', 'AAAA x.example': ['2001:db8::1'] }))).kind,
    'found',
  );
});

test('at most twenty addresses, those of better preference first', async (t) => {
  const many = (net: string): string[] => Array.from({ length: 15 }, (_, i) => `${net}.${i + 1}`);
  const listed = await locate(
    mx('10 a.example', '20 b.example', '30 c.example'),
    60_000,
    rules({ 'A a.example': many('192.0.2'), 'A b.example': many('198.51.100'), 'A c.example': ['203.0.113.1'] }),
  );
  t.deepEqual(listed.kind === 'listed' ? listed.exchanges.map((each) => each.addresses.length) : [], [15, 5, 0]);
});

test('of hundreds of exchanges only twenty are looked up', async (t) => {
  const asked: string[] = [];
  const names = Array.from({ length: 300 }, (_, i) => `${i} mx${i}.example`);
  const table = Object.fromEntries(names.map((_, i) => [`A mx${i}.example`, [`192.0.2.${i % 250}`]]));
  await locate(mx(...names), 60_000, rules(table, { dns: tableDns(table, asked) }));
  t.is(asked.length, 40);
});

test('reserved addresses are skipped, others of the same name stay', async (t) => {
  const table = {
    'A mx.example': ['127.0.0.1', '192.0.2.1', '169.254.1.1', '0.0.0.0', '224.0.0.1'],
    'AAAA mx.example': ['::1', '::', '::ffff:192.0.2.1', 'fe80::1', 'ff02::1', '2001:db8::1'],
  };
  const listed = await locate(mx('10 mx.example'), 60_000, rules(table));
  t.deepEqual(listed.kind === 'listed' ? listed.exchanges[0]?.addresses : [], ['192.0.2.1', '2001:db8::1']);
});

test('all skipped is no route; a name that the operator wrote, or allowReserved, may have them', async (t) => {
  const table = { 'A mx.example': ['127.0.0.1'] };
  const skipped = await locate(mx('10 mx.example'), 60_000, rules(table));
  t.is(skipped.kind === 'none' ? skipped.cause : '', 'no-route');
  t.is((await locate(mx('10 mx.example'), 60_000, rules(table, { written: new Set(['mx.example']) }))).kind, 'listed');
  t.is((await locate(mx('10 mx.example'), 60_000, rules(table, { allowReserved: true }))).kind, 'listed');
});

test('an address in the place of a name is no name that the operator wrote', async (t) => {
  const listed = await locate(mx('10 127.0.0.1'), 60_000, rules({}));
  t.is(listed.kind === 'none' ? listed.cause : '', 'no-route');
});

test('a list that begins with us is a loop, by name without a look-up', async (t) => {
  const asked: string[] = [];
  const listed = await locate(
    mx('10 gateway.example', '20 mx.example'),
    60_000,
    rules({ 'A mx.example': ['192.0.2.1'] }, { dns: tableDns({}, asked) }),
  );
  t.is(listed.kind === 'none' ? listed.cause : '', 'loop');
  t.deepEqual(asked, []);
});

test('a list that begins with an address of ours is a loop before it is a reserved one', async (t) => {
  const us = { ...US, sockets: [{ host: '0.0.0.0', port: 25 }] };
  const table = { 'A a.example': ['127.0.0.1'], 'A b.example': ['192.0.2.1'] };
  const listed = await locate(mx('10 a.example', '20 b.example'), 60_000, rules(table, { us }));
  t.is(listed.kind === 'none' ? listed.cause : '', 'loop');
});

test('a name that nobody can look up leaves the others, and is looked up again after five seconds', async (t) => {
  const table: Table = { 'A a.example': 'servfail', 'AAAA a.example': 'servfail', 'A b.example': ['192.0.2.1'] };
  const listed = await locate(mx('10 a.example', '20 b.example'), 60_000, rules(table));
  t.is(listed.expiresAtMs, 5_000);
  t.deepEqual(listed.kind === 'listed' ? listed.exchanges.map((each) => each.addresses) : [], [[], ['192.0.2.1']]);
});

test('exchanges without any address are the failure of the DNS', async (t) => {
  const listed = await locate(mx('10 a.example'), 60_000, rules({}));
  t.is(listed.kind === 'none' ? listed.cause : '', 'dns');
});

test('too many look-ups at once are overload, which never fails open', async (t) => {
  const listed = await locate(mx('10 a.example'), 60_000, rules({ 'A a.example': 'busy', 'AAAA a.example': 'busy' }));
  t.is(listed.kind === 'none' ? listed.cause : '', 'overload');
});
