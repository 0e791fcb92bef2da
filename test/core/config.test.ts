import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigurationError, type Recipient } from '@callahead/core';
import { loadConfiguration } from '@callahead/core/config';
import test from 'ava';
import { load, problemsIn, smallest } from '../support/configuration.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

function recipient(address: string): Recipient {
  const [local = '', domain = ''] = address.split('@');
  return { address, local, domain, utf8: false };
}

/** The smallest file, with more lines in its profile. */
function withProfile(...lines: readonly string[]): string {
  return smallest.replace('recipientAccess:\n  inbound:\n', `${lines.map((line) => `    ${line}\n`).join('')}$&`);
}

function profileOf(text: string, env: Readonly<Record<string, string>> = {}) {
  const profile = load(text, env).configuration.profiles.get('corp');
  if (profile === undefined) throw new Error('no profile corp');
  return profile;
}

test('the smallest useful file loads without a doubt', (t) => {
  const { configuration, warnings } = load(smallest);
  t.deepEqual(warnings, []);
  t.is(configuration.hostname, 'mx1.gateway.example');
  const [listener] = configuration.listeners;
  t.deepEqual(listener?.listen, [{ host: '127.0.0.1', port: 2525 }]);
  t.is(listener?.profile, configuration.profiles.get('corp') ?? null);
  t.is(listener?.postmaster?.address, 'postmaster@example.com');
});

test('JSON is read as YAML', (t) => {
  t.is(load('{"hostname": "mx1.gateway.example"}').configuration.hostname, 'mx1.gateway.example');
});

test('whatever is left out at the top level has the value of SPEC 2', (t) => {
  const { written, ...configuration } = load('hostname: mx1.gateway.example').configuration;
  t.like(written, { drainTimeout: '30s' });
  t.deepEqual(configuration, {
    hostname: 'mx1.gateway.example',
    drainTimeoutMs: 30 * second,
    log: { level: 'info', addresses: 'full', addressKey: null },
    self: { names: [], addresses: [] },
    listeners: [],
    profiles: new Map(),
    smtpRoutes: new Map(),
    ldap: { servers: new Map(), routing: new Map() },
    dns: { servers: null, timeoutMs: 5 * second, allowReserved: false },
    delivery: {
      interface: { kind: 'auto' },
      connectTimeoutMs: 10 * second,
      commandTimeoutMs: minute,
      endOfDataTimeoutMs: 5 * minute,
      holdTimeMs: 4 * hour,
      maxConnectionsPerServer: 50,
      tls: {
        mode: 'optional',
        verify: true,
        ca: null,
        identity: null,
        servername: null,
        minVersion: 'TLSv1.2',
        maxVersion: 'TLSv1.3',
        ciphers: 'DEFAULT',
      },
    },
    engine: { threads: 3, maxPending: 50_000, maxDestinations: 10_000 },
    admin: null,
    cacheFile: null,
  });
});

test('whatever a profile leaves out has the value of SPEC 2', (t) => {
  t.deepEqual(profileOf(smallest), {
    name: 'corp',
    validationTimeoutMs: 30 * second,
    servers: {
      kind: 'static',
      hops: [{ name: 'ex1.corp.example', port: null, portFrom: 'default', lookup: 'mx' }],
    },
    probe: {
      protocol: 'smtp',
      interface: { kind: 'auto' },
      ipFamily: 'any',
      heloName: 'mx1.gateway.example',
      selfNames: ['mx1.gateway.example'],
      mailFrom: '',
      mailFromFallback: null,
      connectTimeoutMs: 5 * second,
      commandTimeoutMs: 10 * second,
      unknownRecipientCodes: [],
      maxRecipientsPerSession: 1000,
      maxRecipientsPerTransaction: 100,
      maxRejectionsPerSession: 10,
      maxConnectionsPerServer: 5,
      sessionIdleMs: 5 * second,
      sessionLifetimeMs: 5 * minute,
      breaker: { failures: 5, maxPauseMs: 30 * second },
      cacheSize: 10_000,
      cacheTtlMs: 900 * second,
      negativeCacheTtlMs: 300 * second,
      refusedCacheTtlMs: 0,
      refreshAheadMs: 0,
      staleIfErrorMs: 0,
      foldLocalPart: false,
      tls: null,
      auth: null,
    },
    actions: {
      mode: 'enforce',
      onValidationFailure: { kind: 'accept' },
      onTemporaryFailure: { kind: 'reject' },
      onUnknown: { kind: 'reject' },
      onRefused: { kind: 'reject' },
      serverReply: 'mask',
    },
    canary: null,
  });
});

test('whatever a listener leaves out has the value of SPEC 2', (t) => {
  const [listener] = load(smallest).configuration.listeners;
  t.is(listener?.relay, true);
  t.is(listener?.bareNewline, 'reject');
  t.deepEqual(listener?.limits, {
    sessions: 10_000,
    recipientsPerMessage: 1000,
    messageSize: 50 * 1024 * 1024,
    lookAhead: 100,
    syntaxErrors: 20,
    idleTimeoutMs: 5 * minute,
    commandTimeoutMs: 5 * minute,
    sessionTimeoutMs: hour,
    minDataRate: 500,
  });
});

test('a key without a value is a key left out', (t) => {
  t.is(profileOf(withProfile('heloName:', 'breaker:')).probe.heloName, 'mx1.gateway.example');
  t.deepEqual(load('hostname: a.example\ndns:\nlisteners:\n').configuration.dns.servers, null);
});

test('one core still makes one thread, and a number of threads is taken as it is', (t) => {
  t.is(load('hostname: a.example\nengine: {threads: 7}').configuration.engine.threads, 7);
  t.is(load('hostname: a.example\nengine: {threads: auto}').configuration.engine.threads, 3);
});

test('the configuration is frozen to its depth', (t) => {
  const { configuration } = load(smallest);
  t.throws(() => Object.assign(configuration.dns, { timeoutMs: 1 }), { instanceOf: TypeError });
  t.throws(() => Object.assign(profileOf(smallest).probe.breaker, { failures: 1 }), { instanceOf: TypeError });
  t.throws(() => Object.assign(configuration.listeners[0]?.limits ?? {}, { sessions: 1 }), { instanceOf: TypeError });
  const route = load(`${smallest}smtpRoutes: {a.example: b.example}\n`).configuration.smtpRoutes.get('a.example');
  t.true(Object.isFrozen(route?.kind === 'hosts' ? route.hops[0] : null));
});

test('servers are a text with commas or a list, and ports are kept apart', (t) => {
  const hops = [
    { name: 'ex1.corp.example', port: 25, portFrom: 'static', lookup: 'mx' },
    { name: '192.0.2.1', port: 2525, portFrom: 'static', lookup: 'none' },
    { name: '2001:db8::1', port: null, portFrom: 'default', lookup: 'none' },
  ] as const;
  const text = smallest.replace(
    'servers: ex1.corp.example',
    'servers: "EX1.corp.example:25, 192.0.2.1:2525,[2001:DB8:0::1]"',
  );
  t.deepEqual(profileOf(text).servers, { kind: 'static', hops });
  const list = smallest.replace(
    'servers: ex1.corp.example',
    'servers: ["ex1.corp.example:25", "192.0.2.1:2525", "[2001:db8::1]"]',
  );
  t.deepEqual(profileOf(list).servers, { kind: 'static', hops });
});

test('a profile may ask the delivery host, and then names no servers', (t) => {
  const text = smallest.replace('servers: ex1.corp.example', 'serverType: delivery-host');
  t.deepEqual(profileOf(text).servers, { kind: 'delivery-host' });
});

test('our own names are the host name and those of self, in lower case', (t) => {
  const text = `${smallest}self: {names: [MX2.gateway.example, mx1.gateway.example], addresses: ["2001:DB8:0:0::5"]}\n`;
  t.deepEqual(profileOf(text).probe.selfNames, ['mx1.gateway.example', 'mx2.gateway.example']);
  t.deepEqual(load(text).configuration.self.addresses, ['2001:db8::5']);
});

test('a reply of the operator takes its enhanced code from the head of its text', (t) => {
  const { actions } = profileOf(withProfile('onUnknown: {code: 550, text: "5.1.1 No such user"}'));
  t.deepEqual(actions.onUnknown, {
    kind: 'reply',
    code: 550,
    enhanced: '5.1.1',
    text: 'No such user',
    disconnect: false,
  });
});

test('a reply of the operator needs no enhanced code', (t) => {
  const { actions } = profileOf(withProfile('onValidationFailure: {code: 451, text: Later, disconnect: true}'));
  t.deepEqual(actions.onValidationFailure, {
    kind: 'reply',
    code: 451,
    enhanced: null,
    text: 'Later',
    disconnect: true,
  });
});

test('421 closes the session whether the file says so or not', (t) => {
  const { actions } = profileOf(withProfile('onTemporaryFailure: {code: 421, text: Bye, disconnect: false}'));
  t.like(actions.onTemporaryFailure, { code: 421, disconnect: true });
});

test('codes that mean "no such user" may be numbers', (t) => {
  t.deepEqual(profileOf(withProfile('unknownRecipientCodes: [553, 5.4.1]')).probe.unknownRecipientCodes, [
    '553',
    '5.4.1',
  ]);
});

test('variables of the environment are expanded inside texts', (t) => {
  const text = smallest.replace('ex1.corp.example', `"\${MAIL}.corp.example:\${PORT}"`);
  const profile = profileOf(text, { MAIL: 'ex7', PORT: '2525' });
  t.like(profile.servers, { hops: [{ name: 'ex7.corp.example', port: 2525 }] });
});

test('an alias stands for the value at its anchor', (t) => {
  const text = withProfile('validationTimeout: &budget 20s', 'connectTimeout: *budget');
  t.is(profileOf(text).probe.connectTimeoutMs, 20 * second);
});

test('the recipient access table is compiled, first match first', (t) => {
  const text = `${smallest}    - {match: ALL, action: reject, response: {code: 450, text: Not now}}\n`;
  const access = load(text).configuration.listeners[0]?.recipientAccess;
  t.deepEqual(access?.decide(recipient('a@example.com')), {
    kind: 'accept',
    entry: 'example.com',
    bypassCallAhead: false,
    profile: null,
  });
  t.deepEqual(access?.decide(recipient('a@other.example')), {
    kind: 'reject',
    entry: 'ALL',
    reply: { code: 450, enhanced: '4.7.1', text: 'Not now' },
  });
});

test('resolvers have port 53 unless another is given', (t) => {
  const text = 'hostname: a.example\ndns: {servers: [192.0.2.53, "192.0.2.54:5353", "[2001:db8::53]"]}';
  t.deepEqual(load(text).configuration.dns.servers, ['192.0.2.53:53', '192.0.2.54:5353', '[2001:db8::53]:53']);
});

test('port 0 is a wish, not a mistake, and two listeners may have it', (t) => {
  const text = smallest.replace('["127.0.0.1:2525"]', '["127.0.0.1:0", "127.0.0.1:0", "[::1]:0"]');
  t.deepEqual(load(text).configuration.listeners[0]?.listen.at(2), { host: '::1', port: 0 });
});

test('a listener that only validates needs no postmaster', (t) => {
  const text = smallest.replace('postmaster: postmaster@example.com', 'relay: false');
  t.is(load(text).configuration.listeners[0]?.postmaster, null);
});

test('an open relay is accepted where the file asks for it, or where nothing is relayed', (t) => {
  const open = smallest.replace('match: example.com', 'match: ALL');
  t.deepEqual(problemsIn(open.replace('    postmaster', '    allowOpenRelay: true\n    postmaster')), []);
  t.deepEqual(problemsIn(open.replace('postmaster: postmaster@example.com', 'relay: false')), []);
});

test('a file is loaded from the disk', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'callahead-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = join(folder, 'callahead.yaml');
  await writeFile(file, smallest.replace('mx1.gateway.example', `\${NAME}`));
  const { configuration } = await loadConfiguration(file, { env: { NAME: 'mx9.gateway.example' } });
  t.is(configuration.hostname, 'mx9.gateway.example');
  t.true(configuration.engine.threads >= 1);
});

test('a file that cannot be read is a configuration error at its first line', async (t) => {
  const error = await t.throwsAsync(loadConfiguration('/nowhere/callahead.yaml', { env: {} }), {
    instanceOf: ConfigurationError,
  });
  t.true(error.message.startsWith('/nowhere/callahead.yaml:1:1: the file cannot be read (ENOENT'));
});
