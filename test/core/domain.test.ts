import test from 'ava';
import { parseDomain } from '../../packages/core/src/domain.ts';

const SAME = [
  'example',
  'example.org',
  'a-b.example',
  'a--b.example',
  '1.example',
  'a.1b',
  'xn--bcher-kva.example',
  'xn--4dbc.example',
  'xn--n3h.example',
];
for (const domain of SAME) {
  test(`${domain} is canonical as it stands`, (t) => t.deepEqual(parseDomain(domain), { kind: 'ok', domain }));
}

const CANONICAL: readonly (readonly [text: string, domain: string])[] = [
  ['EXAMPLE.Org.', 'example.org'],
  ['bücher.example', 'xn--bcher-kva.example'],
  ['BÜCHER.example', 'xn--bcher-kva.example'],
  ['bu\u0308cher.example', 'xn--bcher-kva.example'],
  ['faß.example', 'xn--fa-hia.example'],
  ['☃.example', 'xn--n3h.example'],
  ['אב.example', 'xn--4dbc.example'],
  ['l\u00b7l.example', 'xn--ll-0ea.example'],
  ['क्\u200dष.example', 'xn--11b2ezcw70k.example'],
  ['例え.テスト', 'xn--r8jz45g.xn--zckzah'],
];
for (const [text, domain] of CANONICAL) {
  test(`${text} is ${domain}`, (t) => {
    t.deepEqual(parseDomain(text), { kind: 'ok', domain });
    t.deepEqual(parseDomain(domain), { kind: 'ok', domain });
  });
}

/** The A-labels were encoded without any check, as an attacker would. */
const NO_DOMAIN = [
  'xn--evilgood-rm3g.example', // evil。good
  'xn--evilgood-d129b.example', // evil．good
  'xn--evilgood-pn39b.example', // evil｡good
  'xn--ab-iw3n.example', // a＠b
  'xn--ab-ba.example', // a U+0080 b
  'xn--ab-qa.example', // a U+0085 b
  'xn--ab-1ca.example', // a U+00A0 b
  'xn--ab-5da.example', // a U+00AD b
  'xn--ab-g1t.example', // a U+200B b
  'xn--ab-m1t.example', // a U+200D b
  'xn--ab-x3t.example', // a U+2028 b
  'xn--ab-g4t.example', // a U+202E b
  'xn--ab-gg4n.example', // a U+FFFD b
  'xn--ab-6bv.example', // a∕b
  'xn--ab-6ha.example', // aÜb, upper case
  'xn--bucher-xyd.example', // not composed
  'xn--ph7cc.example', // full-width letters
  'xn--y-s59q.example', // mathematical letters
  'xn----dha.example', // ends with a hyphen
  'xn----eha.example', // begins with one
  'xn--ab---3ra.example', // ab--ü
  'xn--a.example',
  'xn--example.example',
  'ü-.example',
  '-ü.example',
  'ab--ü.example',
  'a。b.example',
  'a．b.example',
  'a＠b.example',
  'ａ.example',
  'ａü.example',
  '𝔵.example',
  'a\u00ad.example',
  'a\u200bb.example',
  'a\u202eb.example',
  'a\u2028b.example',
  'אa.example',
  'ü'.repeat(64),
  '127.0.0.1',
  '0x7f.1',
  '0x7f000001',
  '0x',
  '2130706433',
  'example.1',
  '１２７.example.１',
];
for (const text of NO_DOMAIN) {
  test(`${JSON.stringify(text)} is no domain`, (t) => t.deepEqual(parseDomain(text), { kind: 'bad', fault: 'domain' }));
}

test('a long name of short labels ends at the limit of the DNS', (t) => {
  const longest = `${'abc.'.repeat(63)}d`;
  t.deepEqual(parseDomain(longest), { kind: 'ok', domain: longest });
  t.deepEqual(parseDomain(`${longest}e`), { kind: 'bad', fault: 'syntax' });
});
