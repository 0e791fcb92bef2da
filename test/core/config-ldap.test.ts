import { ConfigurationError, type LdapRoutingSettings } from '@callahead/core';
import { type Loaded, parseConfiguration } from '@callahead/core/config';
import test from 'ava';
import { createAuthority, createCertificate } from '../support/certificates.ts';
import { smallest } from '../support/configuration.ts';

const authority = createAuthority();
const ours = createCertificate({ names: ['gateway.example'], issuer: authority });

const FILES: Readonly<Record<string, string>> = {
  '/etc/callahead/pw': 'geheim\n',
  '/etc/callahead/empty': '\n',
  '/etc/callahead/ca.pem': authority.cert,
  '/etc/callahead/cert.pem': ours.cert,
  '/etc/callahead/key.pem': ours.key,
};

const LDAP = `
ldap:
  servers:
    directory:
      urls: ldap://127.0.0.1:3389
  routing:
    domains:
      server: directory
      base: ou=domains,dc=example
      filter: (mail={d})
      mailHostAttribute: mailHost
`;

function load(text: string): Loaded {
  return parseConfiguration(text, {
    file: '/etc/callahead/callahead.yaml',
    env: {},
    cores: 4,
    readText: (file) => FILES[file] ?? new Error('no such file'),
  });
}

function problemsIn(ldap: string, listener = ''): readonly string[] {
  const text = smallest.replace('    postmaster:', `${listener}    postmaster:`) + ldap;
  try {
    return load(text).warnings.map(({ message }) => `warning: ${message}`);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems.map(({ message }) => message);
    throw error;
  }
}

/** The routing of a listener whose directory has these lines more. */
function routingWith(lines: readonly string[] = []): LdapRoutingSettings {
  const url = '      urls: ldap://127.0.0.1:3389\n';
  const ldap = LDAP.replace(url, `${url}${lines.map((line) => `      ${line}\n`).join('')}`);
  const text = smallest.replace('    postmaster:', '    ldapRouting: domains\n    postmaster:') + ldap;
  const routing = load(text).configuration.listeners[0]?.ldapRouting;
  if (routing === null || routing === undefined) throw new Error('the listener has no routing');
  return routing;
}

const BIND = ['bindDn: cn=gw,dc=example', 'bindPasswordFile: pw'];

/** Declares a test: the section with `from` replaced by `to` is wrong in just these ways. */
function replaced(title: string, from: string, to: string, ...problems: readonly string[]): void {
  test(title, (t) => {
    t.true(LDAP.includes(from));
    t.deepEqual(problemsIn(LDAP.replace(from, () => to)), problems);
  });
}

test('a listener has the whole of what its directory is asked, with what the specification says of keys left out', (t) => {
  const routing = routingWith();
  t.like(routing, {
    name: 'domains',
    scope: 'sub',
    mailHostAttribute: 'mailHost',
    mailRoutingAddressAttribute: null,
    callAheadAttribute: null,
  });
  t.is(routing.base.text, 'ou=domains,dc=example');
  t.is(routing.filter.text, '(mail={d})');
  t.deepEqual(routing.server, {
    name: 'directory',
    urls: [{ host: '127.0.0.1', port: 3389, implicitTls: false }],
    bind: null,
    tls: { mode: 'off', verify: true, ca: null, identity: null, servername: null, minVersion: 'TLSv1.2' },
    timeoutMs: 5_000,
    connections: 4,
    cacheSize: 10_000,
    cacheTtlMs: 900_000,
  });
});

test('a listener that names no routing asks no directory', (t) => {
  t.is(load(smallest + LDAP).configuration.listeners[0]?.ldapRouting, null);
});

test('the password comes from a file beside the configuration, without its line end, and shows itself to nobody who prints it', (t) => {
  const { server } = routingWith(BIND);
  t.is(server.bind?.dn, 'cn=gw,dc=example');
  t.is(server.bind?.password.reveal(), 'geheim');
  t.false(JSON.stringify(server).includes('geheim'));
});

test('files of certificates are read, and the key is a secret', (t) => {
  const { server } = routingWith([
    'tls: {mode: required, ca: ca.pem, cert: cert.pem, key: key.pem, servername: ldap.example}',
  ]);
  t.like(server.tls, { mode: 'required', ca: authority.cert, servername: 'ldap.example' });
  t.is(server.tls.identity?.cert, ours.cert);
  t.is(server.tls.identity?.key.reveal(), ours.key);
  t.false(JSON.stringify(server).includes('PRIVATE'));
});

test('URLs have the ports of their schemes where they name none', (t) => {
  const urls = 'urls: [ldap://one.example, "ldaps://[2001:db8::1]", "ldaps://two.example:3636/"]';
  const text = smallest + LDAP.replace('urls: ldap://127.0.0.1:3389', urls);
  t.deepEqual(load(text).configuration.ldap.servers.get('directory')?.urls, [
    { host: 'one.example', port: 389, implicitTls: false },
    { host: '2001:db8::1', port: 636, implicitTls: true },
    { host: 'two.example', port: 3636, implicitTls: true },
  ]);
});

test('a routing that is not defined is refused, with what was meant', (t) => {
  t.deepEqual(problemsIn(LDAP, '    ldapRouting: domain\n'), [
    'listeners.inbound.ldapRouting: "domain" is not defined under ldap.routing: did you mean domains?',
  ]);
  t.deepEqual(problemsIn('', '    ldapRouting: domains\n'), [
    'listeners.inbound.ldapRouting: "domains" is not defined under ldap.routing: expected a name under ldap.routing, which defines none',
  ]);
});

replaced(
  'a directory that is not defined is refused, with what was meant',
  'server: directory',
  'server: directories',
  'ldap.routing.domains.server: "directories" is not defined under ldap.servers: did you mean directory?',
);

replaced(
  'a directory without a URL, and a routing without base or filter, are refused',
  '      urls: ldap://127.0.0.1:3389\n',
  '      urls: []\n',
  'ldap.servers.directory.urls: [] is empty: expected ldap://host[:port] or ldaps://host[:port]',
);

test('each required key that is missing is named', (t) => {
  t.deepEqual(problemsIn('ldap: {servers: {directory: {}}, routing: {domains: {mailHostAttribute: mailHost}}}\n'), [
    'ldap.servers.directory.urls: missing: expected ldap://host[:port] or ldaps://host[:port]',
    'ldap.routing.domains.server: missing: expected the name of a server under ldap.servers',
    'ldap.routing.domains.base: missing: expected a distinguished name of RFC 4514, in its values {a}, {u} and {d}',
    'ldap.routing.domains.filter: missing: expected a filter of RFC 4515, in its values {a}, {u} and {d}',
  ]);
});

replaced(
  'a URL with more than host and port is refused',
  'ldap://127.0.0.1:3389',
  'ldap://127.0.0.1/dc=example',
  'ldap.servers.directory.urls: "ldap://127.0.0.1/dc=example" is no URL of a directory: expected ldap://host[:port] or ldaps://host[:port]',
);

replaced(
  'an unknown token is refused, with those that are known',
  '(mail={d})',
  '(mail={f})',
  'ldap.routing.domains.filter: "(mail={f})" has the unknown token "{f}" ({a}, {u} and {d} are known, braces are written \\7b and \\7d): expected a filter of RFC 4515, in its values {a}, {u} and {d}',
);

replaced(
  'a base that is no name is refused',
  'ou=domains,dc=example',
  'domains',
  'ldap.routing.domains.base: "domains" is no distinguished name: expected a distinguished name of RFC 4514, in its values {a}, {u} and {d}',
);

replaced(
  'a routing that reads no attribute is refused',
  '      mailHostAttribute: mailHost\n',
  '',
  'ldap.routing.domains: no attribute to read: expected mailHostAttribute, mailRoutingAddressAttribute, callAheadAttribute, or some of them',
);

/** Declares a test: a directory with this line more is wrong in just these ways. */
function inServer(title: string, line: string, ...problems: readonly string[]): void {
  const url = 'urls: ldap://127.0.0.1:3389\n';
  replaced(title, url, `${url}      ${line}\n`, ...problems);
}

inServer(
  'a name to bind without a password is refused, for it would be bound as nobody',
  'bindDn: cn=gw',
  'ldap.servers.directory.bindPasswordFile: missing: expected the password of bindDn',
);
inServer(
  'a password of nobody is refused',
  'bindPasswordFile: pw',
  'ldap.servers.directory.bindDn: missing: expected whose password it is',
);
inServer(
  'a password file that is not there is refused',
  'bindDn: cn=gw\n      bindPasswordFile: nowhere',
  'ldap.servers.directory.bindPasswordFile: "nowhere" cannot be read (no such file): expected a file',
);
inServer(
  'an empty password is refused',
  'bindDn: cn=gw\n      bindPasswordFile: empty',
  'ldap.servers.directory.bindPasswordFile: "empty" is empty: expected a password',
);
inServer(
  'a certificate without its key is refused, and files that are not there are',
  'tls: {mode: required, cert: cert.pem, ca: nowhere}',
  'ldap.servers.directory.tls.key: missing: expected the key of cert',
  'ldap.servers.directory.tls.ca: "nowhere" cannot be read (no such file): expected a file',
);

test('a password in plain text over a network is a warning', (t) => {
  const far = LDAP.replace('ldap://127.0.0.1:3389', `ldap://ldap.example\n      ${BIND.join('\n      ')}`);
  t.deepEqual(problemsIn(far), [
    'warning: ldap.servers.directory.urls: "ldap://ldap.example" gets the password in plain text: expected ldaps://, or tls.mode required',
  ]);
  t.deepEqual(problemsIn(far.replace('bindDn', 'tls: {mode: required}\n      bindDn')), []);
  t.deepEqual(problemsIn(far.replace('ldap://l', 'ldaps://l')), []);
});
