import test from 'ava';
import { resolveDomain } from '../../packages/routing/src/own-domain.ts';
import type { Resolved } from '../../packages/routing/src/resolved.ts';
import { addressesOfTiers, hopTo, wordsOf } from '../support/routing.ts';
import { lookupIn, type Table, US } from '../support/table-dns.ts';

function resolve(table: Table, over: Parameters<typeof lookupIn>[1] = {}): Promise<Resolved> {
  return resolveDomain(hopTo('example.com'), lookupIn(table, over));
}

function words(resolved: Resolved): string {
  return resolved.kind === 'known' ? wordsOf(resolved.verdict) : resolved.names;
}

test('each exchange is a server, each preference a tier', async (t) => {
  const resolved = await resolve({
    'MX example.com': ['20 c.example', '10 b.example', '10 a.example'],
    'A a.example': ['192.0.2.1'],
    'A b.example': ['192.0.2.2'],
    'A c.example': ['192.0.2.3'],
  });
  t.is(words(resolved), 'mx a.example:25,b.example:25;c.example:25');
  t.deepEqual(resolved.kind === 'servers' ? addressesOfTiers(resolved.tiers) : [], [
    ['192.0.2.1', '192.0.2.2'],
    ['192.0.2.3'],
  ]);
  t.is(resolved.kind === 'servers' ? resolved.within : '', 'shuffle');
});

test('a target carries the name that its certificate must have: the MX target', async (t) => {
  const resolved = await resolve({ 'MX example.com': ['10 mx.example'], 'A mx.example': ['192.0.2.1'] });
  t.deepEqual(resolved.kind === 'servers' ? resolved.tiers : [], [
    [{ kind: 'tcp', host: 'mx.example', port: 25, targets: [{ name: 'mx.example', address: '192.0.2.1' }] }],
  ]);
});

test('a domain without MX is its own exchange', async (t) => {
  t.is(words(await resolve({ 'A example.com': ['192.0.2.1'] })), 'mx example.com:25');
  t.is(words(await resolve({ 'AAAA example.com': ['2001:db8::1'] })), 'mx example.com:25');
});

test('a null MX is unknown 556 5.1.10 and never falls back to an address', async (t) => {
  t.is(words(await resolve({ 'MX example.com': ['0 '], 'A example.com': ['192.0.2.1'] })), 'unknown 556 5.1.10');
});

test('a null MX beside others counts for nothing', async (t) => {
  const resolved = await resolve({ 'MX example.com': ['0 ', '10 mx.example'], 'A mx.example': ['192.0.2.1'] });
  t.is(words(resolved), 'mx mx.example:25');
});

test('a domain that does not exist is unknown 550 5.1.2', async (t) => {
  const resolved = await resolve({});
  t.is(words(resolved), 'unknown 550 5.1.2');
  t.like(resolved, { verdict: { source: 'routing', server: '', ref: '' } });
});

test('trouble with the MX is failed, never a fall to the address', async (t) => {
  t.is(words(await resolve({ 'MX example.com': 'servfail', 'A example.com': ['192.0.2.1'] })), 'failed dns');
  t.is(words(await resolve({ 'MX example.com': 'timeout', 'A example.com': ['192.0.2.1'] })), 'failed dns');
  t.is(words(await resolve({ 'MX example.com': 'busy', 'A example.com': ['192.0.2.1'] })), 'failed overload');
});

test('an exchange that does not exist says nothing about the recipient', async (t) => {
  t.is(words(await resolve({ 'MX example.com': ['10 gone.example'] })), 'failed dns');
});

test('a domain with neither MX nor address has no route', async (t) => {
  t.is(words(await resolve({ 'MX example.com': 'nxdomain' })), 'unknown 550 5.1.2');
  t.is(words(await resolve({ 'TXT example.com': [] })), 'failed no-route');
});

test('trouble with the address of a domain without MX is failed', async (t) => {
  t.is(words(await resolve({ 'A example.com': 'servfail' })), 'failed dns');
});

test('an MX of which no record names a host is no route', async (t) => {
  t.is(words(await resolve({ 'MX example.com': ['10 not,a,host'] })), 'failed no-route');
});

test('the best tier stays, empty, where its names cannot be looked up: the next one is still of worse preference', async (t) => {
  const resolved = await resolve({
    'MX example.com': ['10 best.example', '20 backup.example'],
    'A best.example': 'servfail',
    'AAAA best.example': 'servfail',
    'A backup.example': ['192.0.2.2'],
  });
  t.is(words(resolved), 'mx best.example:25;backup.example:25');
  t.deepEqual(resolved.kind === 'servers' ? addressesOfTiers(resolved.tiers) : [], [[], ['192.0.2.2']]);
});

test('an address literal is no name that the operator wrote: a reserved one is no route', async (t) => {
  const literal = (address: string, over = {}): Promise<Resolved> =>
    resolveDomain(hopTo(address, null, 'none'), lookupIn({}, over));
  t.is(words(await literal('192.0.2.1')), 'mx 192.0.2.1:25');
  t.is(words(await literal('2001:db8::1')), 'mx [2001:db8::1]:25');
  t.is(words(await literal('127.0.0.1')), 'failed no-route');
  t.is(words(await literal('::ffff:7f00:1')), 'failed no-route');
  t.is(words(await literal('127.0.0.1', { allowReserved: true })), 'mx 127.0.0.1:25');
  const us = () => ({ ...US, sockets: [{ host: '127.0.0.1', port: 25 }] });
  t.is(words(await literal('127.0.0.1', { allowReserved: true, us })), 'failed loop');
});

test('a domain whose only address is ours is a loop', async (t) => {
  const us = () => ({ ...US, sockets: [{ host: '::', port: 25 }], machine: new Set(['192.0.2.1']) });
  t.is(words(await resolve({ 'A example.com': ['192.0.2.1'] }, { us })), 'failed loop');
});

test("the machine's own table says nothing about a recipient's domain", async (t) => {
  t.is(words(await resolve({}, { names: { 'example.com': ['192.0.2.1'] } })), 'unknown 550 5.1.2');
});
