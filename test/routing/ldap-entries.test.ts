import test from 'ava';
import type { DirectoryEntry } from '../../packages/routing/src/directory-connection.ts';
import { type Reading, readAddress, readHosts } from '../../packages/routing/src/ldap-entries.ts';

function entry(values: readonly string[], dn = 'cn=one'): DirectoryEntry {
  return { dn, values: new Map([['mailhost', values]]) };
}

function hosts(...entries: readonly DirectoryEntry[]): string {
  const reading = readHosts(entries, 'mailHost');
  if (reading.kind !== 'value') return refusalOf(reading);
  return reading.value.map((hop) => `${hop.lookup} ${hop.name} ${hop.port} ${hop.portFrom}`).join(', ');
}

function address(...entries: readonly DirectoryEntry[]): string {
  const reading = readAddress(entries, 'mailHost');
  return reading.kind === 'value' ? reading.value.address : refusalOf(reading);
}

function refusalOf(reading: Reading<unknown>): string {
  if (reading.kind !== 'refused') return reading.kind;
  const { dn, attribute, value, reason } = reading.refusal;
  return `${dn} ${attribute} "${value}" ${reason}`;
}

test('one host without a port, one with, and an address', (t) => {
  t.is(hosts(entry(['MX1.example.'])), 'mx mx1.example null default');
  t.is(hosts(entry(['mx1.example:2525'])), 'mx mx1.example 2525 ldap');
  t.is(hosts(entry(['192.0.2.1:25'])), 'none 192.0.2.1 25 ldap');
  t.is(hosts(entry(['[2001:DB8::1]:9025'])), 'none 2001:db8::1 9025 ldap');
  t.is(hosts(entry(['[2001:db8::1]'])), 'none 2001:db8::1 null default');
});

test('a list with commas and spaces keeps its order, its ports apart, and says nothing twice', (t) => {
  t.is(
    hosts(entry([' smtp2.example , smtp3.example:9025,smtp2.example,, '])),
    'mx smtp2.example null default, mx smtp3.example 9025 ldap',
  );
});

test('several values are the same list in whatever order they come', (t) => {
  const both = 'mx a.example null default, mx b.example 25 ldap';
  t.is(hosts(entry(['a.example', 'b.example:25'])), both);
  t.is(hosts(entry(['b.example:25', 'a.example'])), both);
});

for (const [value, reason] of [
  ['a.example:0', 'has the bad port 0'],
  ['a.example:65536', 'has the bad port 65536'],
  ['a.example:x', 'has the bad port x'],
  ['a.example:', 'has the bad port '],
  ['2001:db8::1', 'needs brackets'],
  ['[mx.example]', 'has no address in its brackets'],
  ['a b', 'is not a host name'],
  ['/dev/null', 'is not a host name'],
] as const) {
  test(`the host ${value} is refused, not asked at port 25`, (t) => {
    const said = hosts(entry([`good.example,${value}`]));
    t.true(said.startsWith(`cn=one mailHost "${value}" ${reason}`), said);
  });
}

test('nothing, an empty value and an entry without the attribute say nothing', (t) => {
  t.is(hosts(), 'none');
  t.is(hosts(entry([])), 'none');
  t.is(hosts(entry(['', ' '])), 'none');
  t.is(hosts({ dn: 'cn=two', values: new Map() }), 'none');
});

test('entries that agree are one, and one that says nothing does not disagree', (t) => {
  t.is(hosts(entry(['a.example']), entry(['A.example.'], 'cn=two')), 'mx a.example null default');
  t.is(hosts(entry([]), entry(['a.example'], 'cn=two')), 'mx a.example null default');
});

test('entries that disagree are refused, and named', (t) => {
  t.is(
    hosts(entry(['a.example']), entry(['a.example:25'], 'cn=two')),
    'cn=two mailHost "a.example:25" disagrees with cn=one, which says a.example',
  );
});

test('what an entry says cannot break a line of the log', (t) => {
  const said = hosts(entry(['a\r\nb\u202e:1'], 'cn=\u0007one'));
  t.regex(said, /^[ -~]+$/);
});

test('an address takes the recipient’s place in canonical form', (t) => {
  t.is(address(entry(['Anna@Corp.Example.'])), 'Anna@corp.example');
  t.is(address(entry(['jürgen@corp.example'])), 'jürgen@corp.example');
});

for (const value of [
  'anna',
  'postmaster',
  '',
  '<anna@corp.example>',
  'a@b@c',
  'anna@corp.example\r\nRCPT TO:<x@y>',
  'u%x@corp.example',
]) {
  test(`${JSON.stringify(value)} is no address to go on with`, (t) => {
    t.regex(address(entry([value])), value === '' ? /^none$/ : /is not an address/);
  });
}

test('two addresses are one too many, in one entry and in two', (t) => {
  t.regex(address(entry(['a@corp.example', 'b@corp.example'])), /expected one address/);
  t.regex(address(entry(['a@corp.example']), entry(['b@corp.example'], 'cn=two')), /disagrees with cn=one/);
});
