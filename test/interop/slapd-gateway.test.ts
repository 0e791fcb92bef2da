/** The whole chain with a real directory: what a sender hears, and which servers were asked and got mail. */
import test, { type ExecutionContext } from 'ava';
import { type Chain, type ChainOptions, openChain } from '../support/chain.ts';
import { type FakeServer, startFakeServer } from '../support/fake-server.ts';
import { entry, GATEWAY_DN, type Slapd, startSlapd } from '../support/slapd.ts';

const MESSAGE = `
  C: DATA
  S: 354
  C: Subject: hello
  C:
  C: Hello.
  C: .
  S: 250
`;

const ATTRIBUTES = {
  mailHostAttribute: 'mailHost',
  mailRoutingAddressAttribute: 'mailRoutingAddress',
  callAheadAttribute: 'callAhead',
};

type Opened = Readonly<{ chain: Chain; slapd: Slapd; asked: FakeServer; mailHost: FakeServer }>;

/** A gateway before a server that is asked and one that takes mail, and the directory that says so in `entries`. */
async function open(
  t: ExecutionContext,
  entries: (servers: Readonly<{ asked: FakeServer; mailHost: FakeServer }>) => string,
  options: ChainOptions = {},
): Promise<Opened> {
  const users = ['anna@example.com', 'a.meier@corp.example'];
  const asked = await startFakeServer({ users, name: 'asked.example' });
  const mailHost = await startFakeServer({ users: [...users, 'bert@example.com'], name: 'mailhost.example' });
  const slapd = await startSlapd(entries({ asked, mailHost }));
  const { ca } = slapd.certificates;
  const directory = {
    urls: [`ldap://127.0.0.1:${slapd.port}`],
    bindDn: GATEWAY_DN,
    bindPasswordFile: slapd.passwordFile,
    tls: { mode: 'required', ca },
    timeout: 2,
  };
  const routing = { server: 'directory', base: 'dc=example', filter: '(|(mail={a})(mail={d}))', ...ATTRIBUTES };
  const chain = await openChain(t, {
    servers: [],
    ...options,
    profile: { serverType: 'delivery-host', servers: null, ...options.profile },
    listener: { ldapRouting: 'domains', ...options.listener },
    sections: { ldap: { servers: { directory }, routing: { domains: routing } }, ...options.sections },
  });
  t.teardown(async () => {
    await Promise.all([slapd.stop(), asked.stop(), mailHost.stop()]);
  });
  return { chain, slapd, asked, mailHost };
}

test('recipients are asked where the directory says to ask, and mail goes to its mail host', async (t) => {
  const { chain, slapd, asked, mailHost } = await open(t, (at) =>
    entry('domain', 'mail: example.com', `mailHost: ${at.mailHost.at}`, `callAhead: ${at.asked.at}`),
  );
  await chain.ask(`
    C: RCPT TO:<bert@example.com>
    S: 550 5.1.1
    C: RCPT TO:<anna@example.com>
    S: 250
    ${MESSAGE}
  `);
  t.deepEqual(asked.asked, ['bert@example.com', 'anna@example.com']);
  t.deepEqual(asked.messages, []);
  t.deepEqual(
    mailHost.messages.map(({ recipients }) => recipients),
    [['anna@example.com']],
  );
  t.regex(slapd.log(), /TLS established/);
});

test('a routing address is what servers are asked and given, and its domain is routed like any other', async (t) => {
  const route = await startFakeServer({ users: ['a.meier@corp.example'] });
  t.teardown(route.stop);
  const { chain } = await open(
    t,
    () => entry('anna', 'mail: anna@example.com', 'mailRoutingAddress: a.meier@corp.example'),
    { sections: { smtpRoutes: { 'corp.example': route.at } } },
  );
  await chain.ask(`
    C: RCPT TO:<anna@example.com>
    S: 250
    ${MESSAGE}
  `);
  t.deepEqual(
    route.messages.map(({ recipients }) => recipients),
    [['a.meier@corp.example']],
  );
  t.is(route.asked[0], 'a.meier@corp.example');
});

test('a port of the directory wins over the port of the route that its host has', async (t) => {
  const { chain, mailHost } = await open(
    t,
    (at) => entry('domain', 'mail: example.com', `mailHost: smtp.inside.example:${at.mailHost.port}`),
    { sections: { smtpRoutes: { 'smtp.inside.example': '127.0.0.1:9' } } },
  );
  await chain.ask(`
    C: RCPT TO:<anna@example.com>
    S: 250
  `);
  t.deepEqual(mailHost.asked, ['anna@example.com']);
});

test('an entry with a bad port is a failure that the log names and the sender does not hear of', async (t) => {
  const { chain } = await open(t, () => entry('domain', 'mail: example.com', 'mailHost: smtp.inside.example:99999'));
  const heard = await chain.ask(`
    C: RCPT TO:<anna@example.com>
    S: 451 4.4.3
  `);
  t.notRegex(heard, /inside|99999|cn=/);
  const refused = chain.events.find((event) => event.event === 'directory.entry-refused');
  t.like(refused, { dn: 'cn=domain,dc=example', attribute: 'mailHost', value: 'smtp.inside.example:99999' });
});

test('while the directory is down known recipients are served and others fail in time', async (t) => {
  const { chain, slapd, asked } = await open(
    t,
    (at) =>
      [
        entry('domain', 'mail: example.com', `mailHost: ${at.mailHost.at}`, `callAhead: ${at.asked.at}`),
        entry('other', 'mail: other.example', `mailHost: ${at.mailHost.at}`),
      ].join(''),
    { sections: { recipientAccess: { inbound: [{ match: ['example.com', 'other.example'], action: 'accept' }] } } },
  );
  await chain.ask(`
    C: RCPT TO:<anna@example.com>
    S: 250
  `);
  await slapd.kill();
  await chain.ask(`
    C: RCPT TO:<anna@example.com>
    S: 250
    C: RCPT TO:<x@other.example>
    S: 451 4.4.3
  `);
  t.deepEqual(asked.asked, ['anna@example.com']);
  t.true(chain.events.some((event) => event.event === 'directory.down'));
});
