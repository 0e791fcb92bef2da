import test from 'ava';
import { compileHostAccess, EVERYBODY, type NamesOf, type Policy } from '../../packages/core/src/access/host-access.ts';
import { hostPatterns, hostTable, policyOf } from '../support/hosts.ts';

const neverAsked: NamesOf = () => {
  throw new Error('nobody wanted to know the names');
};

function named(...names: readonly string[]): NamesOf {
  return async () => names;
}

test('the first group that matches decides, whatever is more specific', (t) => {
  const wide = hostTable({ wide: ['192.0.2.0/24'], narrow: ['192.0.2.9'], rest: ['ALL'] });
  t.like(wide.decide('192.0.2.9', neverAsked), { group: 'wide', entry: '192.0.2.0/24', policy: { name: 'wide' } });
  const narrow = hostTable({ narrow: ['192.0.2.9'], wide: ['192.0.2.0/24'], rest: ['ALL'] });
  t.like(narrow.decide('192.0.2.9', neverAsked), { group: 'narrow', entry: '192.0.2.9' });
  t.like(narrow.decide('192.0.2.8', neverAsked), { group: 'wide' });
  t.like(narrow.decide('192.0.3.9', neverAsked), { group: 'rest', entry: 'ALL' });
  t.like(narrow.decide('2001:db8::1', neverAsked), { group: 'rest' });
});

test('an entry is told as it was written', (t) => {
  const table = hostTable({ some: ['2001:DB8:0::/48', 'all'] });
  t.like(table.decide('2001:db8::7', neverAsked), { entry: '2001:DB8:0::/48' });
  t.like(table.decide('192.0.2.1', neverAsked), { entry: 'all' });
});

test('nobody in particular is whom no group matches', (t) => {
  t.is(hostTable({}).decide('192.0.2.1', neverAsked), EVERYBODY);
  t.is(hostTable({ one: ['192.0.2.2'] }).decide('192.0.2.1', neverAsked), EVERYBODY);
});

test('an IPv4 client is matched by entries for IPv4, however its address is written', (t) => {
  const table = hostTable({ six: ['::/0'], four: ['10.'] });
  t.like(table.decide('::ffff:10.1.2.3', neverAsked), { group: 'four' });
  t.like(table.decide('2001:db8::1', neverAsked), { group: 'six' });
});

test('names are asked for only where an entry with a name stands before the match', async (t) => {
  const table = hostTable({ near: ['192.0.2.1'], bad: ['.bad.example', 'mail.worse.example'], rest: ['ALL'] });
  t.like(table.decide('192.0.2.1', neverAsked), { group: 'near' });
  t.like(await table.decide('192.0.2.2', named('a.bad.example')), { group: 'bad', entry: '.bad.example' });
  t.like(await table.decide('192.0.2.2', named('mail.worse.example')), { group: 'bad' });
  t.like(await table.decide('192.0.2.2', named()), { group: 'rest' });
});

test('a suffix is of hosts below it, a name of that host alone', async (t) => {
  const table = hostTable({ suffix: ['.bad.example'], name: ['mail.example.com'] });
  const groupOf = async (name: string) => (await table.decide('192.0.2.2', named(name))).group;
  t.is(await groupOf('a.b.bad.example'), 'suffix');
  t.is(await groupOf('bad.example'), '');
  t.is(await groupOf('notbad.example'), '');
  t.is(await groupOf('mail.example.com'), 'name');
  t.is(await groupOf('x.mail.example.com'), '');
});

test('of several names the one whose entry stands first decides', async (t) => {
  const table = hostTable({ one: ['a.example'], two: ['.b.example'], three: ['ALL'] });
  t.like(await table.decide('192.0.2.2', named('x.b.example', 'a.example')), { group: 'one' });
});

test('a hundred thousand networks are searched in no time', (t) => {
  const networks = Array.from({ length: 100_000 }, (_, i) => `10.${i >> 9}.${(i >> 1) & 255}.${(i & 1) * 128}/25`);
  const table = hostTable({ many: networks, rest: ['ALL'] });
  const startMs = performance.now();
  for (let i = 0; i < 10_000; i++) table.decide(`10.${i & 127}.${i & 255}.${i & 255}`, neverAsked);
  t.true(performance.now() - startMs < 2_000);
  t.like(table.decide('10.195.79.129', neverAsked), { group: 'many', entry: '10.195.79.128/25' });
  t.like(table.decide('10.195.80.1', neverAsked), { group: 'rest' });
});

test('the most sessions that a table lets anybody have are those of its most generous policy', (t) => {
  const most = (...policies: readonly Policy[]): number | null =>
    compileHostAccess(
      policies.map((policy, i) => ({
        name: policy.name,
        patterns: hostPatterns(i === policies.length - 1 ? 'ALL' : '.example'),
        policy,
      })),
    ).maxConnectionsPerHost;
  const few = policyOf('few', { maxConnectionsPerHost: 3 });
  const many = policyOf('many', { maxConnectionsPerHost: 20 });
  t.is(most(many, few), 20);
  t.is(most(policyOf('any'), few), null);
  const withoutAll = [{ name: 'few', patterns: hostPatterns('.example'), policy: few }];
  t.is(compileHostAccess(withoutAll).maxConnectionsPerHost, null, 'whom nothing matches has no limit');
});
