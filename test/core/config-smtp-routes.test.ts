import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigurationError, type SmtpRoute, type SmtpRoutes } from '@callahead/core';
import { loadConfiguration } from '@callahead/core/config';
import test from 'ava';
import { load, problemsIn, problemsWith, smallest } from '../support/configuration.ts';

const HOST = 'host[:port], [IPv6]:port or [host], perhaps with /pri=N';
const ROUTE = `${HOST}, or a list of them or of {host, port, priority}; USEDNS; /dev/null`;

function withRoutes(...lines: readonly string[]): string {
  return `${smallest}smtpRoutes:\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

function routesOf(text: string, files: Readonly<Record<string, string>> = {}): SmtpRoutes {
  return load(text, {}, files).configuration.smtpRoutes;
}

/** A route in few words: `name port lookup preference` of each host. */
function words(route: SmtpRoute | undefined): string {
  if (route === undefined) return 'none';
  if (route.kind !== 'hosts') return route.kind;
  return route.hops.map((hop) => `${hop.name} ${hop.port ?? hop.portFrom} ${hop.lookup} ${hop.preference}`).join(', ');
}

const FORMS: readonly (readonly [written: string, read: string])[] = [
  ['mail.internal', 'mail.internal default mx 0'],
  ['MAIL.Internal.', 'mail.internal default mx 0'],
  ['"mail.internal:2525"', 'mail.internal 2525 mx 0'],
  ['"[mail.internal]"', 'mail.internal default address 0'],
  ['"[mail.internal]:2525"', 'mail.internal 2525 address 0'],
  ['192.0.2.1', '192.0.2.1 default none 0'],
  ['"[192.0.2.1]:2525"', '192.0.2.1 2525 none 0'],
  ['"[2001:DB8::1]:2525"', '2001:db8::1 2525 none 0'],
  ['mail.internal:25 /pri=10', 'mail.internal 25 mx 10'],
  ['"a:26 /pri=5, b, c/pri=1"', 'b default mx 0, c default mx 1, a 26 mx 5'],
  ['["a:26 /pri=5", {host: b, priority: 3}]', 'b default mx 3, a 26 mx 5'],
  ['[{host: "[b.internal]", port: 27}]', 'b.internal 27 address 0'],
  ['[{host: "[2001:db8::1]"}]', '2001:db8::1 default none 0'],
  ['USEDNS', 'usedns'],
  ['usedns', 'usedns'],
  ['/dev/null', 'discard'],
];

for (const [written, read] of FORMS) {
  test(`a route written ${written} is ${read}`, (t) => {
    t.is(words(routesOf(withRoutes(`example.com: ${written}`)).get('example.com')), read);
  });
}

test('what a route is for is a domain in any spelling, its sub-domains, or everybody', (t) => {
  const routes = routesOf(withRoutes('Bücher.Example: a', '.Example.COM.: b', 'all: c'));
  t.deepEqual([...routes.keys()], ['xn--bcher-kva.example', '.example.com', 'ALL']);
});

test("a route's own port is told apart from none", (t) => {
  const route = routesOf(withRoutes('example.com: ["a:25", b]')).get('example.com');
  t.deepEqual(route?.kind === 'hosts' ? route.hops.map((hop) => hop.portFrom) : [], ['route', 'default']);
});

const BAD: readonly (readonly [title: string, line: string, ...problems: readonly string[]])[] = [
  [
    'a key must be something that a route can be for',
    'a..b: mail',
    '16:3: smtpRoutes.a..b: "a..b" is nothing that a route is for: expected domain, .domain or ALL',
  ],
  [
    'a port is 1..65535',
    'a: "b:0"',
    `16:6: smtpRoutes.a: "b:0" has the bad port 0 (1..65535 is right): expected ${HOST}`,
  ],
  [
    'every bad host of a text is told',
    'a: "b:x, c, d /pri=65536"',
    `16:6: smtpRoutes.a: "b:x" has the bad port x (1..65535 is right): expected ${HOST}`,
    `16:6: smtpRoutes.a: "d /pri=65536" has the bad priority 65536 (0..65535 is right): expected ${HOST}`,
  ],
  [
    'USEDNS and /dev/null stand alone',
    'a: [b, USEDNS]',
    `16:10: smtpRoutes.a[1]: "USEDNS" is no host, it stands alone: expected ${HOST}`,
  ],
  [
    'an IPv6 address needs brackets',
    'a: 2001:db8::1',
    `16:6: smtpRoutes.a: "2001:db8::1" needs brackets, [2001:db8::1]: expected ${HOST}`,
  ],
  ['a list has a host', 'a: []', `16:6: smtpRoutes.a: [] is too small: expected ${ROUTE}`],
  ['a number is no route', 'a: 25', `16:6: smtpRoutes.a: 25 is not right: expected ${ROUTE}`],
  [
    'a key of a host that is misspelt is named',
    'a: [{host: b, prt: 25}]',
    '16:17: smtpRoutes.a[0].prt: unknown key: did you mean port?',
  ],
  [
    'a host with keys has its port in a key',
    'a: [{host: "b:25"}]',
    '16:14: smtpRoutes.a[0].host: "b:25" has more than the host: the rest has keys of its own: expected host, [IPv6] or [host]',
  ],
];

for (const [title, line, ...problems] of BAD) {
  test(title, (t) => t.deepEqual(problemsIn(withRoutes(line)), problems));
}

test('one domain in two spellings is given twice, and both places are named', (t) => {
  t.deepEqual(problemsIn(withRoutes('example.com: a', 'Example.COM: b')), [
    '17:3: smtpRoutes.Example.COM: "Example.COM" has a route already, at callahead.yaml:16:3: expected one',
  ]);
});

const WITH_FILE = `${withRoutes('sink.example: /dev/null')}smtpRoutesFile: routes.txt\n`;

test('a file adds a route a line', (t) => {
  const text =
    '\ufeff# comment\r\n\r\nexample.com: mail.internal:2525 /pri=10, [b.internal]  # as of today\r\n  .example.com:USEDNS\nALL : /dev/null';
  const routes = routesOf(WITH_FILE, { 'routes.txt': text });
  t.is(routes.size, 4);
  t.is(words(routes.get('example.com')), 'b.internal default address 0, mail.internal 2525 mx 10');
  t.is(words(routes.get('.example.com')), 'usedns');
  t.is(words(routes.get('ALL')), 'discard');
  t.is(words(routes.get('sink.example')), 'discard');
});

test('every bad line of the file is told with its place in that file', (t) => {
  const text = 'a.example\n  b.example: c:0, d, e:x\n*.example: f\ng.example:\nh.example: i\n';
  t.deepEqual(problemsWith({ 'routes.txt': text }, WITH_FILE), [
    'routes.txt:1:1: "a.example" has no route: expected domain, .domain or ALL, ":" and its route',
    `routes.txt:2:14: "c:0" has the bad port 0 (1..65535 is right): expected ${HOST}`,
    `routes.txt:2:22: "e:x" has the bad port x (1..65535 is right): expected ${HOST}`,
    'routes.txt:3:1: "*.example" is nothing that a route is for: expected domain, .domain or ALL, ":" and its route',
    `routes.txt:4:11: "" is empty: expected ${HOST}`,
  ]);
});

test('a domain that the file gives again is an error that names both places', (t) => {
  const text = 'a.example: b\nsink.example: c\nA.example: d\n';
  t.deepEqual(problemsWith({ 'routes.txt': text }, WITH_FILE), [
    'routes.txt:2:1: "sink.example" has a route already, at callahead.yaml:16:3: expected one',
    'routes.txt:3:1: "A.example" has a route already, at routes.txt:1:1: expected one',
  ]);
});

test('a file that cannot be read is blamed on the key that names it', (t) => {
  t.deepEqual(problemsWith({}, WITH_FILE), [
    `callahead.yaml:17:17: smtpRoutesFile: "routes.txt" cannot be read (ENOENT: no such file, open 'routes.txt'): expected a text file`,
  ]);
});

test("the file's path starts at the folder of the configuration file", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'callahead-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = join(folder, 'callahead.yaml');
  await writeFile(file, WITH_FILE);
  await writeFile(join(folder, 'routes.txt'), 'example.com: mail.internal\n');
  const { configuration } = await loadConfiguration(file, { env: {} });
  t.is(words(configuration.smtpRoutes.get('example.com')), 'mail.internal default mx 0');
  await writeFile(join(folder, 'routes.txt'), 'example.com: mail:0\n');
  const error = await t.throwsAsync(loadConfiguration(file, { env: {} }), { instanceOf: ConfigurationError });
  t.true(error?.message.startsWith(`${join(folder, 'routes.txt')}:1:14: "mail:0" has the bad port 0`));
});
