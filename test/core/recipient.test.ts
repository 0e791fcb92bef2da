import test from 'ava';
import { fromCanonical, parseRecipient, parseSender } from '../../packages/core/src/recipient.ts';

/** What RCPT TO:<text> comes to: the canonical address, `postmaster`, or the codes of the refusal. */
function parsed(text: string, smtpUtf8 = false): string {
  const result = parseRecipient(text, { smtpUtf8 });
  switch (result.kind) {
    case 'ok':
      return result.recipient.address;
    case 'postmaster':
      return 'postmaster';
    case 'bad':
      return `${result.reply.code} ${result.reply.enhanced}`;
  }
}

const L63 = 'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghikl';
const L64 = `${L63}m`;

const SAME = [
  'jones@xyz.example',
  'a@mail.example',
  'Jones@xyz.example',
  'jones+tag@xyz.example',
  'first.last@sub.do-main.example',
  "#$&'*+=?^_`{}~-@example.org",
  'user/dept@example.org',
  '123@123.example',
  'user@g--a.example',
  'user@localhost',
  'xn--user@example.org',
  '-oX@example.org',
  'postmaster@example.org',
  `${L64}@example.org`,
  `user@${L63}.example`,
  `a@${L63}.${L63}.${L63}.${'x'.repeat(60)}`,
  '"a b"@example.org',
  '" "@example.org',
  '""@example.org',
  '"a@b"@example.org',
  '"a..b"@example.org',
  '".a"@example.org',
  '"a\\"b"@example.org',
  '"a\\\\b"@example.org',
  '"<script>"@example.org',
  '"a,b:c;(d)[e]"@example.org',
  'user@[192.0.2.1]',
  'user@[IPv6:2001:db8::1]',
  'user@[IPv6:::1]',
  'user@[IPv6:::]',
  'user@xn--bcher-kva.example',
  'user@xn--hxajbheg2az3al.xn--jxalpdlp',
];
for (const address of SAME) {
  test(`${address} is canonical as it stands`, (t) => {
    t.is(parsed(address), address);
    t.deepEqual(parseRecipient(address, { smtpUtf8: false }), { kind: 'ok', recipient: fromCanonical(address) });
  });
}

const CANONICAL: readonly (readonly [text: string, address: string])[] = [
  ['User@EXAMPLE.Org', 'User@example.org'],
  ['user@example.org.', 'user@example.org'],
  ['user@XN--BCHER-KVA.example', 'user@xn--bcher-kva.example'],
  ['"user"@example.org', 'user@example.org'],
  ['"first.last"@example.org', 'first.last@example.org'],
  ['"a\\b"@example.org', 'ab@example.org'],
  ['"\\a\\b"@example.org', 'ab@example.org'],
  ['"a\\ b"@example.org', '"a b"@example.org'],
  ['"a\\@b"@example.org', '"a@b"@example.org'],
  ['user@[IPV6:2001:DB8:0:0:0:0:0:1]', 'user@[IPv6:2001:db8::1]'],
  ['user@[ipv6:1:0:0:2:0:0:0:3]', 'user@[IPv6:1:0:0:2::3]'],
  ['user@[IPv6:::ffff:192.0.2.1]', 'user@[IPv6:::ffff:c000:201]'],
  ['@hosta.example,@jkl.example:userc@d.bar.example', 'userc@d.bar.example'],
  ['@a.example:"a b"@c.example', '"a b"@c.example'],
];
for (const [text, address] of CANONICAL) {
  test(`${text} means ${address}`, (t) => {
    t.is(parsed(text), address);
    t.is(parsed(address), address);
  });
}

const BAD_SYNTAX = [
  '',
  '@',
  'user',
  'user@',
  '@example.org',
  'host!user',
  '.user@example.org',
  'user.@example.org',
  'us..er@example.org',
  'a@b@example.org',
  'us er@example.org',
  ' user@example.org',
  'user@example.org ',
  'user @example.org',
  'user@ example.org',
  '<user@example.org>',
  'user@example.org>',
  'user@example.org> NOTIFY=NEVER',
  'us<er@example.org',
  'us,er@example.org',
  'us:er@example.org',
  'us;er@example.org',
  'us[er@example.org',
  'us\\er@example.org',
  '(comment)user@example.org',
  'user(comment)@example.org',
  'user@example.org(comment)',
  '(user@example.org',
  '"user@example.org',
  'user"@example.org',
  'us"e"r@example.org',
  '"""@example.org',
  '"\\"@example.org',
  '"us"er@example.org',
  '"us""er"@example.org',
  '"us".er@example.org',
  '"us"."er"@example.org',
  '"user" @example.org',
  '"user"',
  '"postmaster"',
  'user@-example.org',
  'user@example-.org',
  'user@example.org-',
  'user@.example.org',
  'user@example..org',
  'user@example.org..',
  'user@.',
  'user@exam_ple.org',
  'user@exam/ple.org',
  'user@exam!ple.org',
  'user@[192.0.2]',
  'user@[192.0.2.1.5]',
  'user@[192.0.2.256]',
  'user@[192.0.2.01]',
  'user@[192.0.2.1',
  'user@192.0.2.1]',
  'user@a[192.0.2.1]',
  'user@[192.0.2.1].',
  'user@[192.0.2.1]x',
  'user@[ 192.0.2.1]',
  'user@[2001:db8::1]',
  'user@[IPv6:1:2:3:4:5:6:7]',
  'user@[IPv6:1:2:3:4:5:6:7:8:9]',
  'user@[IPv6:1:2:3:4:5:6:7:888g]',
  'user@[IPv6:1::2::3]',
  'user@[IPv6:1::2:]',
  'user@[IPv6:1:2:3:4:5:192.0.2.1]',
  'user@[IPv6:fe80::1%eth0]',
  'user@[IPv6:]',
  'user@[]',
  'user@[tag:content]',
  '@a.example,@b.example',
  '@a.example:',
  '@a.example,bb.example:user@example.org',
  '@a.example, @b.example:user@example.org',
  '@a_b.example:user@example.org',
  '@[192.0.2.1]:user@example.org',
  'a.example:user@example.org',
  '@:user@example.org',
  '@a.example:postmaster',
  `${L64}n@example.org`,
  `"${L63}"@example.org`,
  `user@${L64}.example`,
  `a@${L63}.${L63}.${L63}.${'x'.repeat(61)}`,
  `@${L63}.example,@${L63}.example,@${L63}.example,@${L63}.example:user@example.org`,
];
for (const text of BAD_SYNTAX) {
  test(`${JSON.stringify(text)} is no address`, (t) => {
    t.is(parsed(text), '501 5.1.3');
    t.is(parsed(text, true), '501 5.1.3');
  });
}

const CONTROLS = ['\0', '\x07', '\t', '\n', '\r', '\r\n', '\x1b', '\x7f'];
const INVISIBLE = [
  '\x80',
  '\x85',
  '\xa0',
  '\xad',
  '\u200b',
  '\u200d',
  '\u2028',
  '\u202e',
  '\u2066',
  '\u3000',
  '\ufeff',
  '\ufffd',
  '\ud800',
];
for (const character of [...CONTROLS, ...INVISIBLE]) {
  const name = [...character].map((c) => `U+${(c.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`).join(' ');
  test(`${name} passes nowhere in an address`, (t) => {
    for (const text of [
      `${character}user@example.org`,
      `us${character}er@example.org`,
      `user${character}@example.org`,
      `user@${character}example.org`,
      `user@exa${character}mple.org`,
      `user@example.org${character}`,
      `"us${character}er"@example.org`,
      `"us\\${character}er"@example.org`,
      `@a${character}.example:user@example.org`,
      `user@[192.0.2.1${character}]`,
      `postmaster${character}`,
    ]) {
      t.regex(parsed(text, true), /^501 5\.1\.[23]$/, JSON.stringify(text));
      t.regex(parsed(text, false), /^(501 5\.1\.[23]|553 5\.6\.7)$/, JSON.stringify(text));
    }
  });
}

for (const text of [
  'user%elsewhere.example@example.org',
  'host!user@example.org',
  '|cat@example.org',
  '/var/mail/user@example.org',
  'a|b@example.org',
]) {
  test(`${text} would be routed by an old mailer and is refused`, (t) => t.is(parsed(text), '553 5.1.3'));
}

test('the same characters inside quotes stay there, and stay quoted', (t) => {
  for (const text of [
    '"user%elsewhere.example"@example.org',
    '"host!user"@example.org',
    '"|cat"@example.org',
    '"/var/mail"@example.org',
  ]) {
    t.is(parsed(text), text);
  }
});

test('postmaster needs no domain, in any case', (t) => {
  for (const text of ['postmaster', 'Postmaster', 'POSTMASTER']) t.is(parsed(text), 'postmaster');
  t.is(parsed('Postmaster@example.org'), 'Postmaster@example.org');
});

test('8-bit text needs SMTPUTF8, octets that are not UTF-8 are never an address', (t) => {
  for (const text of ['jürgen@example.org', '"jür gen"@example.org', 'user@bücher.example'])
    t.is(parsed(text), '553 5.6.7');
  for (const text of ['j\ufffdrgen@example.org', 'user@b\ufffdcher.example', '\ufffd']) {
    t.is(parsed(text), '501 5.1.3');
    t.is(parsed(text, true), '501 5.1.3');
  }
});

test('with SMTPUTF8 a local part stays as it was sent, and only it needs SMTPUTF8 further on', (t) => {
  for (const text of [
    'jürgen@example.org',
    'ju\u0308rgen@example.org',
    '用户@example.org',
    '"jür gen"@example.org',
    '😀@example.org',
  ]) {
    t.is(parsed(text, true), text);
    t.true(fromCanonical(text).utf8);
  }
  t.is(parsed('"jürgen"@bücher.example', true), 'jürgen@xn--bcher-kva.example');
  t.deepEqual(parseRecipient('user@bücher.example', { smtpUtf8: true }), {
    kind: 'ok',
    recipient: { address: 'user@xn--bcher-kva.example', local: 'user', domain: 'xn--bcher-kva.example', utf8: false },
  });
});

test('limits count octets, not characters', (t) => {
  t.is(parsed(`${'ü'.repeat(32)}@example.org`, true), `${'ü'.repeat(32)}@example.org`);
  t.is(parsed(`${'ü'.repeat(32)}a@example.org`, true), '501 5.1.3');
});

test('limits hold for the canonical address too, whose A-labels are longer', (t) => {
  const domain = 'ü.'.repeat(25);
  t.is(parsed(`user@${domain}`, true), `user@${'xn--tda.'.repeat(25).slice(0, -1)}`);
  t.is(parsed(`${L64}@${domain}`, true), '501 5.1.3');
});

test('a character that normalises to ASCII punctuation hides no second address', (t) => {
  for (const text of [
    'a\uff20b@example.org',
    'a\uff0eb@example.org',
    'a\u2026b@example.org',
    'a\uff1cb@example.org',
    '"a\uff02b"@example.org',
  ]) {
    t.is(parsed(text, true), '501 5.1.3');
  }
});

test('a backslash quotes only ASCII', (t) => t.is(parsed('"a\\ü"@example.org', true), '501 5.1.3'));

test('a domain that cannot exist is refused with 5.1.2', (t) => {
  t.is(parsed('u@xn--evilgood-rm3g.example'), '501 5.1.2');
  t.is(parsed('u@127.0.0.1'), '501 5.1.2');
});

function sender(text: string, smtpUtf8 = false): string {
  const result = parseSender(text, { smtpUtf8 });
  switch (result.kind) {
    case 'ok':
      return result.sender.address;
    case 'null':
      return '<>';
    case 'bad':
      return `${result.reply.code} ${result.reply.enhanced}`;
  }
}

test('a sender may be null, but never without a domain', (t) => {
  t.is(sender(''), '<>');
  t.is(sender('postmaster'), '501 5.1.7');
  t.is(sender('@a.example:User@EXAMPLE.org'), 'User@example.org');
  t.is(sender('us er@example.org'), '501 5.1.7');
  t.is(sender('u@xn--evilgood-rm3g.example'), '501 5.1.8');
  t.is(sender('jürgen@example.org'), '553 5.6.7');
  t.is(sender('jürgen@example.org', true), 'jürgen@example.org');
});

test('a sender may hold routing characters', (t) => {
  for (const text of ['a%b@example.org', 'a!b@example.org', '/g=first/s=last@example.org']) t.is(sender(text), text);
});

test('a canonical address is taken apart at its last at-sign', (t) => {
  t.deepEqual(fromCanonical('"a@b"@example.org'), {
    address: '"a@b"@example.org',
    local: '"a@b"',
    domain: 'example.org',
    utf8: false,
  });
  t.throws(() => fromCanonical('postmaster'), { instanceOf: TypeError });
});

test('refusals carry nothing of what the client sent', (t) => {
  const result = parseRecipient('us er@secret.example', { smtpUtf8: false });
  t.deepEqual(result, { kind: 'bad', reply: { code: 501, enhanced: '5.1.3', text: 'Bad recipient address syntax' } });
});

test('an endless address costs no more than a short one', (t) => {
  const startMs = performance.now();
  for (const text of [
    'a.'.repeat(1e5),
    `"${'\\'.repeat(1e5)}`,
    `@${'a,@'.repeat(1e5)}`,
    `a@${'a-'.repeat(1e5)}`,
    'ü'.repeat(1e5),
  ]) {
    t.regex(parsed(text, true), /^501 /);
  }
  t.true(performance.now() - startMs < 1_000);
});
