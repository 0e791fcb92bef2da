import type { Hop } from '@callahead/core';
import test from 'ava';
import { resolveNamed } from '../../packages/routing/src/named-hosts.ts';
import type { Resolved } from '../../packages/routing/src/resolved.ts';
import { addressesOfTiers, hopTo, wordsOf } from '../support/routing.ts';
import { lookupIn, type Table, US } from '../support/table-dns.ts';

function resolve(hops: readonly Hop[], table: Table, over: Parameters<typeof lookupIn>[1] = {}): Promise<Resolved> {
  return resolveNamed(hops, lookupIn(table, over));
}

/** The addresses of the one tier, server by server, or the verdict. */
function words(resolved: Resolved): string {
  if (resolved.kind === 'known') return wordsOf(resolved.verdict);
  const [tier = []] = resolved.tiers;
  return tier
    .map((server) =>
      addressesOfTiers([[server]])
        .flat()
        .join(' '),
    )
    .join(' | ');
}

test('every host is one server of one tier, which take turns in the order of the file', async (t) => {
  const resolved = await resolve([hopTo('b.corp', 2525), hopTo('a.corp')], {
    'A a.corp': ['192.0.2.1'],
    'A b.corp': ['192.0.2.2'],
  });
  t.like(resolved, { names: 'to b.corp:2525,a.corp:25', within: 'rotate' });
  t.is(words(resolved), '192.0.2.2 | 192.0.2.1');
});

test('MX comes before the address: the exchanges are the targets of the server, better preference first, on the port given', async (t) => {
  const resolved = await resolve([hopTo('corp.example', 2525)], {
    'MX corp.example': ['20 b.example', '10 a.example'],
    'A a.example': ['192.0.2.1'],
    'A b.example': ['192.0.2.2'],
    'A corp.example': ['192.0.2.9'],
  });
  t.deepEqual(resolved.kind === 'servers' ? resolved.tiers : [], [
    [
      {
        kind: 'tcp',
        host: 'corp.example',
        port: 2525,
        targets: [
          { name: 'a.example', address: '192.0.2.1' },
          { name: 'b.example', address: '192.0.2.2' },
        ],
      },
    ],
  ]);
});

test('a host of which only the address is wanted has its MX left alone', async (t) => {
  const asked: string[] = [];
  const table = { 'MX a.corp': ['10 b.corp'], 'A a.corp': ['192.0.2.1'], 'A b.corp': ['192.0.2.2'] };
  t.is(words(await resolve([hopTo('a.corp', 25, 'address')], table, { asked })), '192.0.2.1');
  t.false(asked.includes('MX a.corp'));
});

test('an address is used as it is, a reserved one too, for the operator wrote it', async (t) => {
  const asked: string[] = [];
  const hops = [hopTo('127.0.0.1', 2525, 'none'), hopTo('::1', 2526, 'none')];
  const resolved = await resolve(hops, {}, { asked });
  t.is(words(resolved), '127.0.0.1 | ::1');
  t.is(resolved.kind === 'servers' ? resolved.names : '', 'to 127.0.0.1:2525,[::1]:2526');
  t.deepEqual(asked, []);
});

test("the machine's own table comes first, and the DNS is not asked", async (t) => {
  const asked: string[] = [];
  const names = { localhost: ['127.0.0.1', '::1'] };
  t.is(
    words(await resolve([hopTo('localhost', 2525)], { 'A localhost': ['192.0.2.1'] }, { asked, names })),
    '127.0.0.1 ::1',
  );
  t.deepEqual(asked, []);
});

test('a written name may have a reserved address; the MX target that nobody wrote may not', async (t) => {
  t.is(words(await resolve([hopTo('mail.corp')], { 'A mail.corp': ['127.0.0.1'] })), '127.0.0.1');
  const table = { 'MX mail.corp': ['10 mx.elsewhere'], 'A mx.elsewhere': ['127.0.0.1'] };
  t.is(words(await resolve([hopTo('mail.corp')], table)), 'failed no-route');
  t.is(words(await resolve([hopTo('mail.corp')], table, { allowReserved: true })), '127.0.0.1');
  t.is(
    words(
      await resolve([hopTo('mail.corp')], { ...table, 'MX mail.corp': ['10 mail.corp'], 'A mail.corp': ['127.0.0.1'] }),
    ),
    '127.0.0.1',
  );
});

test('a null MX is ignored and the address used', async (t) => {
  t.is(
    words(await resolve([hopTo('mail.corp')], { 'MX mail.corp': ['0 '], 'A mail.corp': ['192.0.2.1'] })),
    '192.0.2.1',
  );
});

test("a name that does not exist is failed, for it is not the recipient's", async (t) => {
  t.is(words(await resolve([hopTo('gone.corp')], {})), 'failed dns');
});

test('trouble with the MX is failed, never a fall to the address', async (t) => {
  t.is(
    words(await resolve([hopTo('mail.corp')], { 'MX mail.corp': 'servfail', 'A mail.corp': ['192.0.2.1'] })),
    'failed dns',
  );
  t.is(
    words(await resolve([hopTo('mail.corp')], { 'MX mail.corp': 'timeout', 'A mail.corp': ['192.0.2.1'] })),
    'failed dns',
  );
});

test('a host that leads nowhere is left out while another leads somewhere, and the names stay', async (t) => {
  const table: Table = { 'MX a.corp': 'servfail', 'A b.corp': ['192.0.2.2'] };
  const resolved = await resolve([hopTo('a.corp'), hopTo('b.corp'), hopTo('gone.corp')], table);
  t.is(words(resolved), '192.0.2.2');
  t.is(resolved.kind === 'servers' ? resolved.names : '', 'to a.corp:25,b.corp:25,gone.corp:25');
  t.is(resolved.expiresAtMs, 5_000, 'what failed is looked up again soon');
});

test('in the MX list of a written name our own entry and the worse ones are dropped', async (t) => {
  const table = {
    'MX corp.example': ['10 a.example', '20 gateway.example', '30 b.example'],
    'A a.example': ['192.0.2.1'],
    'A b.example': ['192.0.2.2'],
  };
  t.is(words(await resolve([hopTo('corp.example')], table)), '192.0.2.1');
  t.is(
    words(await resolve([hopTo('corp.example')], { ...table, 'MX corp.example': ['10 gateway.example'] })),
    'failed loop',
  );
});

test('a host that the operator wrote himself is no loop, for it is in no MX list', async (t) => {
  const us = () => ({ ...US, sockets: [{ host: '0.0.0.0', port: 25 }], machine: new Set(['192.0.2.1']) });
  t.is(words(await resolve([hopTo('gateway.example')], { 'A gateway.example': ['192.0.2.1'] }, { us })), '192.0.2.1');
});

test('a preference whose hosts lead nowhere now stays an empty tier, so that the next one still counts as worse', async (t) => {
  const hops = [
    { ...hopTo('backup.corp'), preference: 20 },
    { ...hopTo('gone.corp'), preference: 10 },
  ];
  const resolved = await resolve(hops, { 'A backup.corp': ['192.0.2.2'] });
  t.deepEqual(resolved.kind === 'servers' ? addressesOfTiers(resolved.tiers) : [], [[], ['192.0.2.2']]);
  t.is(resolved.kind === 'servers' ? resolved.names : '', 'to gone.corp:25;backup.corp:25');
});

test('a unix socket is a server that nothing is looked up for', async (t) => {
  const asked: string[] = [];
  const hops = [hopTo('/run/lmtp', null, 'unix'), hopTo('a.corp')];
  const resolved = await resolve(hops, { 'A a.corp': ['192.0.2.1'] }, { asked });
  t.like(resolved, { names: 'to unix:/run/lmtp,a.corp:25' });
  t.deepEqual(resolved.kind === 'servers' ? resolved.tiers[0]?.[0] : null, { kind: 'unix', path: '/run/lmtp' });
  t.false(asked.some((question) => question.includes('lmtp')));
});
