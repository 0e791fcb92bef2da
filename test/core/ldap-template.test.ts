import { parseLdapBase, parseLdapFilter, type Recipient } from '@callahead/core';
import test from 'ava';

/** As no parser of addresses would make it: the template must not count on one. */
function recipient(local: string, domain = 'example.com'): Recipient {
  return { address: `${local}@${domain}`, local, domain, utf8: false };
}

function filter(text: string, of: Recipient): string {
  const parsed = parseLdapFilter(text);
  return parsed.kind === 'ok' ? parsed.template.render(of) : `bad: ${parsed.why}`;
}

function base(text: string, of: Recipient): string {
  const parsed = parseLdapBase(text);
  return parsed.kind === 'ok' ? parsed.template.render(of) : `bad: ${parsed.why}`;
}

test('the tokens stand for the address, its local part and its domain', (t) => {
  t.is(
    filter('(|(mail={a})(&(uid={u})(dc={d})))', recipient('anna')),
    '(|(mail=anna@example.com)(&(uid=anna)(dc=example.com)))',
  );
  t.is(base('cn={u}, dc={d},dc=example', recipient('anna', 'corp')), 'cn=anna, dc=corp,dc=example');
});

test('a recipient cannot leave its value in a filter (RFC 4515)', (t) => {
  t.is(filter('(mail={u})', recipient('*)(mail=*')), '(mail=\\2a\\29\\28mail=\\2a)');
  t.is(filter('(mail={u})', recipient('back\\slash')), '(mail=back\\5cslash)');
  t.is(filter('(mail={u})', recipient('nul\0')), '(mail=nul\\00)');
  t.is(filter('(mail={u})', recipient('jürgen')), '(mail=jürgen)');
});

test('a recipient cannot leave its value in a base (RFC 4514)', (t) => {
  t.is(
    base('cn={u},dc=example', recipient('a,dc=evil+b="c";<d>#\\\0 ')),
    'cn=a\\2cdc\\3devil\\2bb\\3d\\22c\\22\\3b\\3cd\\3e\\23\\5c\\00\\20,dc=example',
  );
  t.is(base('cn={u}', recipient('jürgen')), 'cn=jürgen');
});

test('what a token becomes is not searched for tokens again', (t) => {
  t.is(filter('(mail={u})', recipient('{d}')), '(mail={d})');
});

test('escaped octets beyond ASCII become the characters that they are the UTF-8 of', (t) => {
  t.is(filter('(cn=J\\c3\\bcrgen\\2a{u})', recipient('x')), '(cn=Jürgen\\2ax)');
  t.regex(filter('(cn=\\ff)', recipient('x')), /not UTF-8/);
});

test('every kind of comparison may hold a token', (t) => {
  for (const text of [
    '(mail=*)',
    '(mail={u}*)',
    '(mail=*@{d})',
    '(mail=smtp:{a})',
    '(mail=a*b*{d})',
    '(uid>={u})',
    '(uid<={u})',
    '(cn~={u})',
    '(memberOf:1.2.840.113556.1.4.1941:=cn={u})',
    '(mail:dn:caseExactMatch:={a})',
    '(mail:={a})',
    '(:dn:2.5.13.5:={u})',
    '(!(mail={a}))',
    '(&(!(a=b))(|(c=d)(e={d})))',
  ]) {
    t.is(parseLdapFilter(text).kind, 'ok', text);
  }
});

test('a filter that is none, or has a token where no value is, is refused with a reason', (t) => {
  for (const text of [
    '',
    'mail={d}',
    '(mail={d}',
    '(mail={d}))',
    '(mail={d})(a=b)',
    '(&)',
    '(!(a=b)(c=d))',
    '({u}=x)',
    '(mail)',
    '(a(b=c))',
    '(mail=a**b)',
    '(mail>=a*)',
    '(mail=\\zz)',
    '(mail=\\2)',
    '(m ail=x)',
  ]) {
    t.is(parseLdapFilter(text).kind, 'bad', text);
  }
  t.is(
    filter('(mail={f})', recipient('x')),
    'bad: has the unknown token "{f}" ({a}, {u} and {d} are known, braces are written \\7b and \\7d)',
  );
  t.regex(filter('(mail={})', recipient('x')), /unknown token/);
  t.regex(filter('(mail={u)', recipient('x')), /unknown token/);
});

test('a base that is none, or has a token where no value is, is refused with a reason', (t) => {
  for (const text of ['example', '{d}', 'dc={d},', '{u}=x', 'dc="x"', 'dc=a;dc=b', 'dc=\\x', 'dc={x}']) {
    t.is(parseLdapBase(text).kind, 'bad', text);
  }
  t.is(parseLdapBase('').kind, 'ok', 'the root of the directory');
  t.is(parseLdapBase('ou=a\\, b+cn=c\\2c,2.5.4.10=x, dc=example').kind, 'ok');
});
