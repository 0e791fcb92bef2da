import { type AccessEntry, compileRecipientAccess, type Reply } from '@callahead/core';
import test from 'ava';
import { accessPatterns, recipientOf } from '../support/recipients.ts';
import { profileOf } from '../support/routing.ts';

function accept(...texts: readonly string[]): AccessEntry {
  return { action: 'accept', patterns: accessPatterns(...texts), bypassCallAhead: false, profile: null };
}

function bypass(...texts: readonly string[]): AccessEntry {
  return { action: 'accept', patterns: accessPatterns(...texts), bypassCallAhead: true, profile: null };
}

function reject(...texts: readonly string[]): AccessEntry {
  return { action: 'reject', patterns: accessPatterns(...texts), reply: null };
}

/** The decision in short: `accept PATTERN`, `bypass PATTERN`, `reject PATTERN`. */
function decide(entries: readonly AccessEntry[], address: string): string {
  const decision = compileRecipientAccess(entries).decide(recipientOf(address));
  if (decision.kind === 'reject') return `reject ${decision.entry}`;
  return `${decision.bypassCallAhead ? 'bypass' : 'accept'} ${decision.entry}`;
}

const DENIED: Reply = { code: 550, enhanced: '5.7.1', text: 'Relaying denied' };

test('an empty table refuses everybody with 550 5.7.1', (t) => {
  t.deepEqual(compileRecipientAccess([]).decide(recipientOf('user@example.com')), {
    kind: 'reject',
    entry: '',
    reply: DENIED,
  });
});

test('a reject entry has its own reply or the usual one', (t) => {
  const reply = { code: 450, enhanced: '4.2.1', text: 'Away' };
  const table = compileRecipientAccess([
    { ...reject('a@example.com'), action: 'reject', reply },
    reject('example.com'),
  ]);
  t.deepEqual(table.decide(recipientOf('a@example.com')), { kind: 'reject', entry: 'a@example.com', reply });
  t.deepEqual(table.decide(recipientOf('b@example.com')), { kind: 'reject', entry: 'example.com', reply: DENIED });
});

test('each kind of pattern matches what it says and nothing else', (t) => {
  const matches = (pattern: string, address: string) =>
    decide([reject('nobody@example.net'), bypass(pattern)], address) === `bypass ${pattern}`;
  t.true(matches('user@example.com', 'user@example.com'));
  t.false(matches('user@example.com', 'user@sub.example.com'));
  t.false(matches('user@example.com', 'user2@example.com'));
  t.true(matches('example.com', 'user@example.com'));
  t.false(matches('example.com', 'user@sub.example.com'));
  t.false(matches('example.com', 'user@notexample.com'));
  t.true(matches('.example.com', 'user@sub.example.com'));
  t.true(matches('.example.com', 'user@a.b.example.com'));
  t.false(matches('.example.com', 'user@example.com'));
  t.false(matches('.example.com', 'user@notexample.com'));
  t.true(matches('user@[192.0.2.1]', 'user@[192.0.2.1]'));
  t.false(matches('user@[192.0.2.1]', 'user@[192.0.2.2]'));
  t.true(matches('user@[IPv6:2001:db8::1]', 'user@[ipv6:2001:DB8:0::1]'));
  t.true(matches('ALL', 'user@example.com'));
  t.true(matches('ALL', 'user@[192.0.2.1]'));
});

test('neither case nor spelling of an address changes the decision', (t) => {
  const table = [bypass('Support@Example.com', 'jürgen@bücher.example', '"a b"@example.com')];
  for (const address of [
    'support@example.com',
    'SUPPORT@EXAMPLE.COM',
    '"sup\\port"@example.com.',
    '@a.example:support@example.com',
  ]) {
    t.is(decide(table, address), 'bypass Support@Example.com', address);
  }
  for (const address of ['JÜRGEN@xn--bcher-kva.example', 'ju\u0308rgen@BÜCHER.example']) {
    t.is(decide(table, address), 'bypass jürgen@bücher.example', address);
  }
  t.is(decide(table, '"A B"@example.com'), 'bypass "a b"@example.com');
});

test('the first match wins, whatever is more specific', (t) => {
  const patterns = ['user@a.example.com', 'a.example.com', '.example.com', '.com', 'user@', 'ALL'];
  for (const order of permutations(patterns)) {
    const entries = order.map((pattern, i) => (i % 2 === 0 ? accept(pattern) : reject(pattern)));
    // `user@` counts only where an accept entry names the domain.
    const named = entries.some((e) => e.action === 'accept' && !['user@', 'ALL'].includes(e.patterns[0]?.text ?? ''));
    const first = order.findIndex((pattern) => named || pattern !== 'user@');
    t.is(decide(entries, 'user@a.example.com'), `${first % 2 === 0 ? 'accept' : 'reject'} ${order[first]}`);
  }
});

test('inside one entry the first pattern is the one that is named', (t) => {
  t.is(decide([accept('.example.com', 'user@a.example.com', 'ALL')], 'user@a.example.com'), 'accept .example.com');
});

test('a pattern that comes twice decides at its first place', (t) => {
  t.is(decide([reject('example.com'), accept('EXAMPLE.com')], 'user@example.com'), 'reject example.com');
});

test('user@ holds in the domains that accept entries name, before or after it, and only there', (t) => {
  const table = [
    bypass('info@'),
    accept('a.example', 'user@b.example', '.c.example', 'user@[192.0.2.1]'),
    reject('d.example', 'x@e.example'),
  ];
  for (const domain of ['a.example', 'b.example', 'x.c.example', 'y.x.c.example']) {
    t.is(decide(table, `info@${domain}`), 'bypass info@', domain);
  }
  for (const domain of ['c.example', 'x.a.example', 'e.example', 'f.example', '[192.0.2.1]']) {
    t.is(decide(table, `info@${domain}`), 'reject ', domain);
  }
  t.is(decide(table, 'info@d.example'), 'reject d.example');
  t.is(decide(table, 'other@b.example'), 'reject ');
});

test('neither ALL nor user@ names a domain', (t) => {
  t.is(decide([bypass('info@'), accept('ALL')], 'info@a.example'), 'accept ALL');
  t.is(decide([bypass('info@'), accept('user@')], 'info@a.example'), 'reject ');
});

test('user@ of a reject entry takes one user out of all accepted domains', (t) => {
  const table = [reject('noreply@'), accept('a.example', '.a.example')];
  t.is(decide(table, 'NoReply@x.a.example'), 'reject noreply@');
  t.is(decide(table, 'user@a.example'), 'accept a.example');
});

test('names that objects have by birth are names like any other', (t) => {
  t.is(decide([accept('example.com')], '__proto__@constructor'), 'reject ');
  t.is(decide([accept('__proto__@constructor')], '__proto__@constructor'), 'accept __proto__@constructor');
});

test('a long table is no slower than a short one', (t) => {
  const long = compileRecipientAccess([
    accept(...Array.from({ length: 50_000 }, (_, i) => `user${i}@d${i}.example`)),
    accept('ALL'),
  ]);
  const recipient = recipientOf('user49999@d49999.example');
  const startMs = performance.now();
  for (let i = 0; i < 10_000; i += 1) long.decide(recipient);
  // 10,000 walks of the table would take minutes.
  t.true(performance.now() - startMs < 2_000);
  t.is(long.decide(recipient).entry, 'user49999@d49999.example');
});

function permutations<Item>(items: readonly Item[]): Item[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, i) =>
    permutations([...items.slice(0, i), ...items.slice(i + 1)]).map((rest) => [item, ...rest]),
  );
}

test('a table tells the profiles that its entries name, each once', (t) => {
  const [corp, other] = [profileOf(null, 'corp'), profileOf(null, 'other')];
  const table = compileRecipientAccess([
    { ...accept('a.example'), action: 'accept', bypassCallAhead: false, profile: corp },
    accept('b.example'),
    { ...accept('c.example'), action: 'accept', bypassCallAhead: false, profile: other },
    { ...accept('d.example'), action: 'accept', bypassCallAhead: false, profile: corp },
  ]);
  t.deepEqual(table.profiles, [corp, other]);
  t.like(table.decide(recipientOf('x@c.example')), { entry: 'c.example', profile: other });
  t.like(table.decide(recipientOf('x@b.example')), { entry: 'b.example', profile: null });
});
