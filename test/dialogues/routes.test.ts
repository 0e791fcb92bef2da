/** Where recipients are asked about and delivered to by SMTP routes and by a profile of their own: heard by a sender, seen at the servers. */
import test, { type ExecutionContext } from 'ava';
import { type Chain, type ChainOptions, openChain } from '../support/chain.ts';
import { type FakeDns, type FakeZone, startFakeDns } from '../support/fake-dns.ts';
import { type FakeOptions, type FakeServer, NOBODYS_ADDRESS, startFakeServer } from '../support/fake-server.ts';

const MESSAGE = `
  C: DATA
  S: 354
  C: Subject: hello
  C:
  C: Hello.
  C: .
`;

const BY_DELIVERY_HOST = { serverType: 'delivery-host', servers: null };
const DOMAINS = { inbound: [{ match: ['example.com', '.example.com', 'sink.example'], action: 'accept' }] };

async function serverKnowing(t: ExecutionContext, options: FakeOptions = {}): Promise<FakeServer> {
  const server = await startFakeServer({ users: ['known@example.com'], ...options });
  t.teardown(server.stop);
  return server;
}

const DEAD_SERVER = `${NOBODYS_ADDRESS}:2525`;

async function dnsSaying(t: ExecutionContext, zone: FakeZone): Promise<FakeDns> {
  const dns = await startFakeDns(zone);
  t.teardown(dns.stop);
  return dns;
}

/** A chain that asks the delivery host, by these routes. */
function openRouted(
  t: ExecutionContext,
  smtpRoutes: Readonly<Record<string, unknown>>,
  { sections, ...options }: ChainOptions & Readonly<{ dns?: FakeDns }> = {},
): Promise<Chain> {
  const dns = options.dns === undefined ? {} : { dns: { servers: [options.dns.at], allowReserved: true } };
  return openChain(t, {
    servers: [],
    profile: BY_DELIVERY_HOST,
    ...options,
    sections: { recipientAccess: DOMAINS, smtpRoutes, ...dns, ...sections },
  });
}

function recipientsAt(server: FakeServer): readonly (readonly string[])[] {
  return server.messages.map(({ recipients }) => recipients);
}

test("a recipient is asked about and delivered to at its domain's route, on the port of the route", async (t) => {
  const [exact, all] = [await serverKnowing(t), await serverKnowing(t)];
  const chain = await openRouted(t, { ALL: all.at, 'example.com': exact.at });
  await chain.ask(`
    C: RCPT TO:<known@example.com>
    C: RCPT TO:<nobody@example.com>
    S: 250 2.1.5
    S: 550 5.1.1
    ${MESSAGE}
    S: 250
  `);
  t.deepEqual(new Set(exact.asked), new Set(['known@example.com', 'nobody@example.com']));
  t.deepEqual(recipientsAt(exact), [['known@example.com']]);
  t.is(all.sessions.length, 0);
});

test('a host name in a route is looked up MX first, and the port of the route holds for its exchanges', async (t) => {
  const server = await serverKnowing(t);
  const dns = await dnsSaying(t, {
    'mail.internal': [{ type: 'MX', data: [10, 'mx.internal'] }],
    'mx.internal': [{ type: 'A', data: '127.0.0.1' }],
  });
  const chain = await openRouted(t, { 'example.com': `mail.internal:${server.port}` }, { dns });
  await chain.ask(`
    C: RCPT TO:<known@example.com>
    S: 250 2.1.5
  `);
  t.true(dns.asked.includes('MX mail.internal'));
  t.false(
    dns.asked.some((question) => question.endsWith(' example.com')),
    'the domain itself is of no interest',
  );
});

test('the MX of a host name in brackets is not looked up', async (t) => {
  const server = await serverKnowing(t);
  const dns = await dnsSaying(t, {
    'mail.internal': [
      { type: 'MX', data: [10, 'elsewhere.internal'] },
      { type: 'A', data: '127.0.0.1' },
    ],
  });
  const chain = await openRouted(t, { 'example.com': `[mail.internal]:${server.port}` }, { dns });
  await chain.ask(`
    C: RCPT TO:<known@example.com>
    S: 250 2.1.5
  `);
  t.false(dns.asked.includes('MX mail.internal'));
});

test('a server of a lower priority stands in, for question and message, and its yes is asked for again', async (t) => {
  const second = await serverKnowing(t);
  const chain = await openRouted(t, {
    'example.com': [{ host: '127.0.0.1', port: second.port, priority: 20 }, `${DEAD_SERVER} /pri=10`],
  });
  await chain.ask(`
    C: RCPT TO:<known@example.com>
    S: 250 2.1.5
    C: RCPT TO:<known@example.com>
    S: 250 2.1.5
    ${MESSAGE}
    S: 250
  `);
  t.deepEqual(recipientsAt(second), [['known@example.com']]);
  t.is(second.asked.length, 3, 'a backup that says yes is not believed for long');
});

test('servers of one priority take turns', async (t) => {
  const [one, other] = [await serverKnowing(t), await serverKnowing(t)];
  const chain = await openRouted(t, { 'example.com': `${one.at}, ${other.at}` });
  for (const user of ['a', 'b', 'c', 'd']) {
    await chain.ask(`
      C: RCPT TO:<${user}@example.com>
      S: 550 5.1.1
    `);
  }
  t.deepEqual([one.asked.length, other.asked.length], [2, 2]);
});

test('a route whose servers are all down is no reason to ask the MX of the domain', async (t) => {
  const server = await serverKnowing(t);
  const dns = await dnsSaying(t, { 'example.com': [{ type: 'A', data: '127.0.0.1' }] });
  const profile = { ...BY_DELIVERY_HOST, validationTimeout: 2 };
  const chain = await openRouted(t, { 'example.com': DEAD_SERVER, ALL: server.at }, { dns, profile });
  await chain.ask(`
    C: RCPT TO:<known@example.com>
    S: 451 4.4.1
  `);
  t.deepEqual(dns.asked, []);
  t.is(server.sessions.length, 0);
});

test('USEDNS under a wildcard is as if there were no route at all', async (t) => {
  const server = await serverKnowing(t);
  const dns = await dnsSaying(t, { 'own.example.com': [{ type: 'MX', data: [0, '.'] }] });
  const routes = { ALL: server.at, '.example.com': server.at, 'own.example.com': 'USEDNS' };
  const chain = await openRouted(t, routes, { dns });
  await chain.ask(`
    C: RCPT TO:<known@own.example.com>
    S: 556 5.1.10
    C: RCPT TO:<known@other.example.com>
    S: 550 5.1.1
  `);
  t.deepEqual(server.asked, ['known@other.example.com']);
});

test('what a route throws away is accepted unasked, and its message taken, not delivered, and logged', async (t) => {
  const server = await serverKnowing(t);
  const chain = await openRouted(t, { 'sink.example': '/dev/null', ALL: server.at });
  await chain.ask(`
    C: RCPT TO:<a@sink.example>
    C: RCPT TO:<b@sink.example>
    S: 250 2.1.5
    S: 250 2.1.5
    ${MESSAGE}
    S: 250 2.
    C: QUIT
    S: 221
  `);
  t.is(server.sessions.length, 0);
  const messages = chain.events.filter(({ event }) => event.startsWith('message.'));
  t.is(messages.length, 1);
  t.like(messages[0], { event: 'message.discarded', recipients: 2 });
});

test('recipients that are thrown away travel with those that are delivered', async (t) => {
  const server = await serverKnowing(t);
  const chain = await openRouted(t, { 'sink.example': '/dev/null', 'example.com': server.at });
  await chain.ask(`
    C: RCPT TO:<a@sink.example>
    C: RCPT TO:<known@example.com>
    C: RCPT TO:<b@sink.example>
    S: 250 2.1.5
    S: 250 2.1.5
    S: 250 2.1.5
    ${MESSAGE}
    S: 250
  `);
  t.deepEqual(recipientsAt(server), [['known@example.com']]);
  t.like(
    chain.events.filter(({ event }) => event.startsWith('message.')),
    [
      { event: 'message.relayed', recipients: 1 },
      { event: 'message.discarded', recipients: 2 },
    ],
  );
});

test('a delivery that is refused discards nothing either, for the sender comes again', async (t) => {
  const server = await serverKnowing(t, { on: { DOT: () => '451 4.3.0 Not now' } });
  const chain = await openRouted(t, { 'sink.example': '/dev/null', 'example.com': server.at });
  await chain.ask(`
    C: RCPT TO:<a@sink.example>
    C: RCPT TO:<known@example.com>
    S: 250 2.1.5
    S: 250 2.1.5
    ${MESSAGE}
    S: 451 4.3.0
  `);
  t.false(chain.events.some(({ event }) => event === 'message.discarded'));
});

test('a second destination waits for the next transaction', async (t) => {
  const [one, other] = [await serverKnowing(t), await serverKnowing(t, { users: ['known@sub.example.com'] })];
  const chain = await openRouted(t, { 'example.com': one.at, '.example.com': other.at });
  await chain.ask(`
    C: RCPT TO:<known@example.com>
    C: RCPT TO:<known@sub.example.com>
    S: 250 2.1.5
    S: 452 4.5.3
  `);
  t.deepEqual(other.asked, ['known@sub.example.com']);
});

test('a static profile asks its own servers, and delivers by the routes', async (t) => {
  const [asked, delivery] = [await serverKnowing(t), await serverKnowing(t)];
  const profile = { serverType: 'static', servers: asked.at };
  const chain = await openRouted(t, { ALL: delivery.at }, { profile });
  await chain.ask(`
    C: RCPT TO:<known@example.com>
    S: 250 2.1.5
    ${MESSAGE}
    S: 250
  `);
  t.is(asked.asked.length, 1);
  t.is(asked.messages.length, 0);
  t.deepEqual(recipientsAt(delivery), [['known@example.com']]);
});

/** Two profiles, and a table in which the second domain names the second one. */
function openProfiles(
  t: ExecutionContext,
  [first, second]: readonly [FakeServer, FakeServer],
  {
    own = {},
    listener = {},
  }: Readonly<{ own?: Readonly<Record<string, unknown>>; listener?: ChainOptions['listener'] }>,
): Promise<Chain> {
  return openChain(t, {
    servers: [],
    listener: { ...listener },
    sections: {
      callAheadProfiles: {
        mailboxes: { servers: first.at, onValidationFailure: 'reject' },
        own: { servers: second.at, onValidationFailure: 'reject', ...own },
      },
      recipientAccess: {
        inbound: [
          { match: 'other.example', action: 'accept', callAheadProfile: 'own' },
          { match: 'example.com', action: 'accept' },
        ],
      },
    },
  });
}

test('an entry with a profile of its own is asked about, answered and delivered by that', async (t) => {
  const servers = [await serverKnowing(t), await serverKnowing(t, { users: ['known@other.example'] })] as const;
  const own = { onUnknown: { code: 553, text: '5.1.1 Not with us' } };
  const chain = await openProfiles(t, servers, { own });
  await chain.ask(`
    C: RCPT TO:<nobody@other.example>
    S: 553 5.1.1 Not with us
    C: RCPT TO:<nobody@example.com>
    S: 550 5.1.1 No such recipient here
    C: RCPT TO:<known@other.example>
    S: 250 2.1.5
    ${MESSAGE}
    S: 250
  `);
  t.deepEqual(servers[0].asked, ['nobody@example.com']);
  t.deepEqual(recipientsAt(servers[1]), [['known@other.example']]);
});

test('a listener without a profile asks about the entries that have one, and only those', async (t) => {
  const servers = [await serverKnowing(t), await serverKnowing(t, { users: ['known@other.example'] })] as const;
  const listener = { callAheadProfile: null, relay: false };
  const chain = await openProfiles(t, servers, { listener });
  await chain.ask(`
    C: RCPT TO:<nobody@example.com>
    S: 250 2.1.5
    C: RCPT TO:<nobody@other.example>
    S: 550 5.1.1
  `);
  t.is(servers[0].sessions.length, 0);
  t.deepEqual(servers[1].asked, ['nobody@other.example']);
});

test("the profile of the entry sets the recipient's deadline, and what a failure means", async (t) => {
  const silent = await serverKnowing(t, { on: { RCPT: () => ({ kind: 'silent' }) } });
  const own = { validationTimeout: 1, onValidationFailure: { code: 450, text: '4.7.1 Ask me later' } };
  const chain = await openProfiles(t, [await serverKnowing(t), silent], { own });
  const beforeMs = performance.now();
  await chain.ask(`
    C: RCPT TO:<known@other.example>
    S: 450 4.7.1 Ask me later
  `);
  // The listener's own profile would have waited half a minute.
  t.true(performance.now() - beforeMs < 25_000);
});

test("no profile's own sender is asked about by another profile", async (t) => {
  const servers = [await serverKnowing(t), await serverKnowing(t)] as const;
  const chain = await openProfiles(t, servers, { own: { mailFrom: 'probe@example.com' }, listener: { relay: false } });
  await chain.ask(`
    C: RCPT TO:<probe@example.com>
    S: 250 2.1.5
  `);
  t.is(servers[0].sessions.length, 0);
});

test("what the delivery host says of an entry's recipient is remembered where that was asked", async (t) => {
  const fickle = await serverKnowing(t, {
    on: { RCPT: ({ session }) => (session.mailFrom === '' ? '250 2.1.5 Ok' : '550 5.1.1 Gone meanwhile') },
  });
  const chain = await openProfiles(t, [await serverKnowing(t), fickle], {});
  await chain.ask(`
    C: RCPT TO:<known@other.example>
    S: 250 2.1.5
    C: DATA
    S: 550 5.1.1
    C: RSET
    S: 250
    C: MAIL FROM:<somebody-else@client.example>
    S: 250
    C: RCPT TO:<known@other.example>
    S: 550 5.1.1
  `);
  t.is(fickle.asked.length, 2, 'once by the call-ahead, once by the delivery');
});
