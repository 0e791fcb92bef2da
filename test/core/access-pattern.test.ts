import { type AccessPattern, parseAccessPattern } from '@callahead/core';
import test from 'ava';

const PATTERNS: readonly AccessPattern[] = [
  { kind: 'all', text: 'ALL' },
  { kind: 'all', text: 'all' },
  { kind: 'domain', text: 'Example.COM', domain: 'example.com' },
  { kind: 'domain', text: 'bücher.example', domain: 'xn--bcher-kva.example' },
  { kind: 'domain', text: 'localhost', domain: 'localhost' },
  { kind: 'subdomains', text: '.example.com', domain: 'example.com' },
  { kind: 'subdomains', text: '.BÜCHER.example', domain: 'xn--bcher-kva.example' },
  { kind: 'address', text: 'User@Example.COM', local: 'User', domain: 'example.com' },
  { kind: 'address', text: '"a@b"@example.com', local: '"a@b"', domain: 'example.com' },
  { kind: 'address', text: '"user"@example.com', local: 'user', domain: 'example.com' },
  { kind: 'address', text: 'jürgen@example.com', local: 'jürgen', domain: 'example.com' },
  { kind: 'address', text: 'user@[192.0.2.1]', local: 'user', domain: '[192.0.2.1]' },
  { kind: 'address', text: 'user@[IPv6:2001:DB8::1]', local: 'user', domain: '[IPv6:2001:db8::1]' },
  { kind: 'user', text: 'user@', local: 'user' },
  { kind: 'user', text: '"a@b"@', local: '"a@b"' },
];
for (const pattern of PATTERNS) {
  test(`${pattern.text} is read as ${pattern.kind}`, (t) => {
    t.deepEqual(parseAccessPattern(pattern.text), { kind: 'ok', pattern });
  });
}

const BAD: readonly (readonly [text: string, message: RegExp])[] = [
  ['', /user@domain, domain, \.domain/],
  ['.', /user@domain, domain, \.domain/],
  ['..example.com', /user@domain, domain, \.domain/],
  ['exam ple.com', /user@domain, domain, \.domain/],
  ['xn--evilgood-rm3g.example', /user@domain, domain, \.domain/],
  ['192.0.2.1', /user@domain, domain, \.domain/],
  ['*@example.com', /no wildcards/],
  ['*.example.com', /no wildcards/],
  ['*', /no wildcards/],
  ['@example.com', /without @/],
  ['@a.example:user@example.com', /without @/],
  ['@', /without @/],
  ['[192.0.2.1]', /needs its user/],
  ['us er@', /local part/],
  ['a!b@', /local part/],
  ['us er@example.com', /address/],
  ['a%b@example.com', /address/],
  ['user@[192.0.2.256]', /address/],
];
for (const [text, message] of BAD) {
  test(`${JSON.stringify(text)} is no pattern, and the message says so`, (t) => {
    const parsed = parseAccessPattern(text);
    if (parsed.kind !== 'bad') return t.fail();
    t.true(parsed.message.startsWith(JSON.stringify(text)));
    return t.regex(parsed.message, message);
  });
}
