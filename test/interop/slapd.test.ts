import { readFile } from 'node:fs/promises';
import type { LdapServerSettings, LdapTls } from '@callahead/core';
import { secretOf } from '@callahead/core';
import test, { type ExecutionContext } from 'ava';
import type { Ldap } from '../../packages/routing/src/ldap.ts';
import { directoryAt, ldapWith, NO_TLS, routingOf, type Templates } from '../support/ldap.ts';
import { deliveryOf, requestFor, wordsOf } from '../support/routing.ts';
import { entry, GATEWAY_DN, type Slapd, startSlapd } from '../support/slapd.ts';
import { until } from '../support/until.ts';

const ENTRIES = [
  entry(
    'one',
    'mail: one.example',
    'mailHost: smtp.mydomain.com',
    'callAhead: smtp2.mydomain.com,smtp3.mydomain.com:9025',
  ),
  entry('many', 'mail: many.example', 'mailHost: b.example:26', 'mailHost: a.example', 'mailHost: [2001:db8::1]:25'),
  entry('bare', 'mail: bare.example'),
  entry('bad', 'mail: bad.example', 'mailHost: smtp.example:65536'),
  entry('twin1', 'mail: twins.example', 'mailHost: a.example'),
  entry('twin2', 'mail: twins.example', 'mailHost: b.example'),
  entry('twin3', 'mail: twins.example', 'mailHost: c.example'),
  entry('moved', 'mail: anna@moved.example', 'mailRoutingAddress: a.meier@new.example'),
  entry('star', 'uid: *)(mail=*', 'mailHost: star.example'),
  entry('backslash', 'uid:: YVxi', 'mailHost: backslash.example'),
  entry('umlaut', 'uid:: asO8cmdlbg==', 'mailHost: umlaut.example'),
  entry('comma\\2cdc\\3dexample', 'mailHost: comma.example').replace(
    '\ncn: comma\\2cdc\\3dexample',
    '\ncn: comma,dc=example',
  ),
].join('');

type Opened = Readonly<{
  slapd: Slapd;
  ldap: Ldap;
  events: ReturnType<typeof ldapWith>['events'];
  ask(address: string): Promise<string>;
}>;

async function bind(slapd: Slapd, password?: string): Promise<LdapServerSettings['bind']> {
  const read = (await readFile(slapd.passwordFile, 'utf8')).trim();
  return { dn: GATEWAY_DN, password: secretOf(password ?? read) };
}

async function running(t: ExecutionContext, readable?: 'everybody'): Promise<Slapd> {
  const slapd = await startSlapd(ENTRIES, readable);
  t.teardown(slapd.stop);
  return slapd;
}

type Asking = Readonly<{ server?: Partial<LdapServerSettings>; templates?: Templates; now?: () => number }>;

async function open(t: ExecutionContext, slapd: Slapd, { server, templates, now }: Asking = {}): Promise<Opened> {
  const settings = directoryAt([slapd.port], { bind: await bind(slapd), timeoutMs: 10_000, ...server });
  const { ldap, events } = ldapWith(routingOf(settings, {}, templates), now);
  t.teardown(ldap.close);
  return {
    slapd,
    ldap,
    events,
    ask: async (address) =>
      summary(
        await ldap.ask(at(address), requestFor(address, { withinMs: 15_000, ...(now === undefined ? {} : { now }) })),
      ),
  };
}

function at(address: string) {
  const { recipient } = requestFor(address);
  const hops = [{ name: recipient.domain, port: null, portFrom: 'default', lookup: 'mx' }] as const;
  return { kind: 'hops', recipient, named: 'recipient', hops } as const;
}

function summary(to: Awaited<ReturnType<Ldap['ask']>>): string {
  if (to.kind === 'known') return `${wordsOf(to.verdict)}: ${to.verdict.kind === 'failed' ? to.verdict.detail : ''}`;
  const hosts = to.hops.map((hop) => (hop.portFrom === 'ldap' ? `${hop.name}:${hop.port}` : hop.name));
  return `${to.recipient.address} -> ${to.named} ${hosts.join(' ')}`;
}

test('what a real directory says leads to the hosts of the feature description, and to what else may be said', async (t) => {
  const { ldap, ask, events } = await open(t, await running(t));
  t.is(await ask('x@one.example'), 'x@one.example -> operator smtp2.mydomain.com smtp3.mydomain.com:9025');
  t.is(
    summary(await ldap.deliver(at('x@one.example'), deliveryOf('x@one.example'))),
    'x@one.example -> operator smtp.mydomain.com',
  );
  t.is(await ask('x@many.example'), 'x@many.example -> operator 2001:db8::1:25 a.example b.example:26');
  t.is(await ask('x@bare.example'), 'x@bare.example -> recipient bare.example');
  t.is(await ask('x@nowhere.example'), 'x@nowhere.example -> recipient nowhere.example');
  t.regex(
    await ask('x@bad.example'),
    /^failed ldap: entry cn=bad,dc=example: mailHost "smtp.example:65536" has the bad port/,
  );
  t.regex(
    await ask('x@twins.example'),
    /^failed ldap: entry cn=twin\d,dc=example: mailHost .* disagrees with cn=twin\d,dc=example/,
  );
  t.is(events.filter((event) => event.event === 'directory.entry-refused').length, 2);
});

test('an entry of an address takes its place', async (t) => {
  const { ask } = await open(t, await running(t), { templates: { filter: '(|(mail={a})(mail={d}))' } });
  t.is(await ask('anna@moved.example'), 'a.meier@new.example -> recipient new.example');
  t.is(await ask('bert@moved.example'), 'bert@moved.example -> recipient moved.example');
});

/** Recipients as a parser never made them: only the escaping stands between them and the directory. */
async function askAs(ldap: Ldap, local: string): Promise<string> {
  const recipient = { address: `${local}@x.example`, local, domain: 'x.example', utf8: true };
  return summary(await ldap.ask({ ...at('x@x.example'), recipient }, requestFor('x@x.example')));
}

test('a recipient finds the entry that it names and no other, whatever it holds', async (t) => {
  const slapd = await running(t);
  const byUser = await open(t, slapd, { templates: { filter: '(uid={u})' } });
  t.is(await askAs(byUser.ldap, '*)(mail=*'), '*)(mail=*@x.example -> operator star.example');
  t.is(await askAs(byUser.ldap, 'a\\b'), 'a\\b@x.example -> operator backslash.example');
  t.is(await askAs(byUser.ldap, 'jürgen'), 'jürgen@x.example -> operator umlaut.example');
  for (const local of ['*', '*)(uid=*', '*))(|(uid=*', 'a\\5cb', '\0', ')', '(', '\\']) {
    t.is(await askAs(byUser.ldap, local), `${local}@x.example -> recipient x.example`);
  }
  const byName = await open(t, slapd, { templates: { base: 'cn={u},dc=example', filter: '(objectClass=*)' } });
  t.is(await askAs(byName.ldap, 'one'), 'one@x.example -> operator smtp2.mydomain.com smtp3.mydomain.com:9025');
  t.is(await askAs(byName.ldap, 'comma,dc=example'), 'comma,dc=example@x.example -> operator comma.example');
  for (const local of ['nobody', 'one,dc=example', 'one+uid=x', '"one"', '#31', 'one\\', 'one;', '<one>', '=one']) {
    t.is(await askAs(byName.ldap, local), `${local}@x.example -> recipient x.example`);
  }
});

test('a base that is the same for everybody and is not there is a fault, not an answer', async (t) => {
  const { ask } = await open(t, await running(t), { templates: { base: 'ou=nowhere,dc=example' } });
  t.regex(await ask('x@one.example'), /^failed ldap/);
});

test('a wrong password is failed ldap, and neither password is shown', async (t) => {
  const slapd = await running(t);
  const { ask, events } = await open(t, slapd, { server: { bind: await bind(slapd, 'falsch') } });
  const words = await ask('x@one.example');
  t.regex(words, /^failed ldap: .*bind: .*0x31/);
  t.false(`${words}${JSON.stringify(events)}`.includes('falsch'));
});

test('where everybody may read, nobody is bound', async (t) => {
  const { ask } = await open(t, await running(t, 'everybody'), { server: { bind: null } });
  t.is(await ask('x@one.example'), 'x@one.example -> operator smtp2.mydomain.com smtp3.mydomain.com:9025');
});

const FOUND = 'x@one.example -> operator smtp2.mydomain.com smtp3.mydomain.com:9025';

test('STARTTLS and ldaps, verified and not', async (t) => {
  const slapd = await running(t);
  const ca = await readFile(slapd.certificates.ca, 'utf8');
  const ask = async (tls: Partial<LdapTls>, implicitTls = false): Promise<string> => {
    const urls = [{ host: '127.0.0.1', port: implicitTls ? slapd.tlsPort : slapd.port, implicitTls }];
    const before = slapd.log().match(/TLS established/g)?.length ?? 0;
    const opened = await open(t, slapd, { server: { urls, tls: { ...NO_TLS, ...tls } } });
    const words = await opened.ask('x@one.example');
    await opened.ldap.close();
    const encrypted = (slapd.log().match(/TLS established/g)?.length ?? 0) > before;
    return words === FOUND ? `found${encrypted ? ', encrypted' : ''}` : words;
  };
  t.is(await ask({ mode: 'off' }), 'found');
  t.is(await ask({ mode: 'optional' }), 'found, encrypted', 'optional never verifies');
  t.is(await ask({ mode: 'required', ca }), 'found, encrypted');
  t.is(await ask({ mode: 'required', ca, servername: 'ldap.example' }), 'found, encrypted');
  t.is(await ask({ mode: 'required', verify: false }), 'found, encrypted');
  t.regex(await ask({ mode: 'required' }), /^failed ldap: .*(self-signed|unable to get local issuer|unable to verify)/);
  t.regex(await ask({ mode: 'required', ca, servername: 'other.example' }), /^failed ldap: .*altnames/);
  t.is(await ask({ ca }, true), 'found, encrypted');
  t.is(await ask({ verify: false }, true), 'found, encrypted');
  t.regex(await ask({}, true), /^failed ldap: /);
  t.regex(await ask({ ca, servername: 'other.example' }, true), /^failed ldap: .*altnames/);
});

test('the second directory answers while the first is stopped, and while it is gone', async (t) => {
  const [first, second] = await Promise.all([running(t), running(t)]);
  const { ask } = await open(t, first, {
    server: { ...directoryAt([first.port, second.port]), bind: await bind(first), timeoutMs: 4_000 },
  });
  t.is(await ask('x@one.example'), FOUND);
  await first.pause();
  t.is(await ask('x@bare.example'), 'x@bare.example -> recipient bare.example');
  first.resume();
  await first.kill();
  t.is(await ask('x@nowhere.example'), 'x@nowhere.example -> recipient nowhere.example');
  await until(() => second.searches() >= 2);
});

const LOAD = 300;
const BUDGET_MS = 1_500;
const GRACE_MS = 2_000;

type Load = Readonly<{ ldap: Ldap; now: () => number; wave: string; trouble?: () => Promise<void> }>;

/** Asks about many new domains at once, with trouble after the first answers. Each has its budget and not much more; how many failed. */
async function load(t: ExecutionContext, { ldap, now, wave, trouble = async () => {} }: Load): Promise<number> {
  let answered = 0;
  let failures = 0;
  let troubled = Promise.resolve();
  const one = async (i: number): Promise<void> => {
    const address = `x@${wave}${i}.example`;
    const before = performance.now();
    const to = await ldap.ask(at(address), requestFor(address, { withinMs: BUDGET_MS, now }));
    t.true(performance.now() - before < BUDGET_MS + GRACE_MS);
    if (to.kind === 'known') failures++;
    if (++answered === 20) troubled = trouble();
  };
  await Promise.all(Array.from({ length: LOAD }, (_, i) => one(i)));
  await troubled;
  return failures;
}

for (const fault of ['killed', 'stopped'] as const) {
  test(`when the directory is ${fault} under load every recipient is answered in its budget, known ones are served, and it recovers by itself`, async (t) => {
    const slapd = await running(t);
    let skippedMs = 0;
    const now = (): number => performance.now() + skippedMs;
    const { ldap, ask } = await open(t, slapd, { server: { timeoutMs: 4_000 }, now });
    t.is(await ask('x@one.example'), FOUND);
    const trouble = async (): Promise<void> => (fault === 'killed' ? slapd.kill() : slapd.pause());
    t.true((await load(t, { ldap, now, wave: fault, trouble })) > 0);
    t.is(await load(t, { ldap, now, wave: 'meanwhile' }), LOAD, 'nobody is taken for one without an entry');
    skippedMs += 3_600_000;
    t.is(await ask('x@one.example'), FOUND, 'an answer of an hour ago');
    if (fault === 'killed') await slapd.start();
    else slapd.resume();
    // What was asked before may still be waited for, and put the next try off.
    let words = '';
    for (let i = 0; i < 20 && !words.includes('->'); i++) {
      skippedMs += 15_000;
      words = await ask(`x@after${i}.example`);
    }
    t.regex(words, /-> recipient after/);
    for (let i = 0; i < 20; i++)
      t.is(await ask(`x@again${i}.example`), `x@again${i}.example -> recipient again${i}.example`);
    t.true(slapd.connections() <= 4, `${slapd.connections()} connections`);
    await ldap.close();
    await until(() => slapd.connections() <= 0);
    t.is(slapd.connections(), 0);
  });
}
