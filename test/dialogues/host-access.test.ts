/** Host access as clients meet it: each policy and each limit over a whole gateway, from the addresses of this machine. */
import test from 'ava';
import { type ChainOptions, type Owner, openChain } from '../support/chain.ts';
import { openSession } from '../support/dialogue.ts';
import { type FakeServer, startFakeServer } from '../support/fake-server.ts';
import { until } from '../support/until.ts';

const HELLO = `
  S: 220
  C: EHLO client.example
  S: 250*
  C: MAIL FROM:<sender@client.example>
  S: 250 2.1.0
`;

type Policies = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** A table of one address a policy: 127.0.0.2 has the first, 127.0.0.3 the next; whoever else comes has the last. */
function tableOf(policies: Policies) {
  const names = Object.keys(policies);
  const senderGroups = names.map((policy, i) => ({ name: `group-${policy}`, match: `127.0.0.${i + 2}`, policy }));
  return { senderGroups: [...senderGroups, { name: 'rest', match: 'ALL', policy: names.at(-1) }], policies };
}

type Doors = Readonly<{ server: FakeServer; options: ChainOptions }>;

/** Two public listeners and a private one before one server, which takes the mail of elsewhere.example too. */
async function doorsWith(t: Owner, policies: Policies, listener: object = {}): Promise<Doors> {
  const server = await startFakeServer({ users: ['known@example.com', 'ann@elsewhere.example'] });
  t.teardown(server.stop);
  const common = { listen: ['127.0.0.1:0'], postmaster: 'postmaster@example.com', hostAccess: 'hosts' };
  const open = { ...common, type: 'public', callAheadProfile: 'mailboxes', recipientAccess: 'inbound', ...listener };
  const sections = {
    listeners: { inbound: open, second: open, inside: { ...common, type: 'private' } },
    hostAccess: { hosts: tableOf(policies) },
    smtpRoutes: { 'elsewhere.example': server.at, 'example.com': server.at },
  };
  return { server, options: { servers: [], profile: { servers: server.at }, sections } };
}

async function openDoors(t: Owner, policies: Policies, listener: object = {}) {
  const { server, options } = await doorsWith(t, policies, listener);
  return { server, chain: await openChain(t, options) };
}

const ACCEPTED = { accepted: {} };

test('a client is told by its group, once a session, and served as before', async (t) => {
  const { chain } = await openDoors(t, { good: { action: 'accept' }, ...ACCEPTED });
  await chain.play(
    `${HELLO}
    C: RCPT TO:<known@example.com>
    S: 250 2.1.5
    C: RCPT TO:<nobody@example.com>
    S: 550 5.1.1
    C: RCPT TO:<ann@elsewhere.example>
    S: 550 5.7.1
    C: QUIT
    S: 221 2.0.0`,
    '127.0.0.2',
  );
  const admitted = chain.events.filter(({ event }) => event === 'session.admitted');
  t.is(admitted.length, 1);
  t.like(admitted[0], {
    listener: 'inbound',
    client: '127.0.0.2',
    group: 'group-good',
    entry: '127.0.0.2',
    policy: 'good',
    action: 'accept',
  });
});

test('a rejected client hears 554 in place of a greeting, and may only say QUIT', async (t) => {
  const { chain } = await openDoors(t, { blocked: { action: 'reject' }, ...ACCEPTED });
  await chain.play(
    `
    S: 554 5.7.1 Access denied
    C: EHLO client.example
    S: 503 5.5.1
    C: MAIL FROM:<sender@client.example>
    C: RCPT TO:<known@example.com>
    C: DATA
    S: 503 5.5.1
    S: 503 5.5.1
    S: 503 5.5.1
    C: QUIT
    S: 221 2.0.0
    S: (closed)`,
    '127.0.0.2',
  );
  const refused = chain.events.find(({ event }) => event === 'session.refused');
  t.like(refused, { client: '127.0.0.2', group: 'group-blocked', policy: 'blocked', code: 554, reason: 'host' });
});

test('a rejected client hears the response of its policy, and after a 421 nothing', async (t) => {
  const response = { code: 550, text: '5.7.25 Ask postmaster@example.com' };
  const busy = { action: 'reject', response: { code: 421, text: 'Come back later' } };
  const { chain } = await openDoors(t, { blocked: { action: 'reject', response }, busy, ...ACCEPTED });
  await chain.play(
    `
    S: 550 5.7.25 Ask postmaster@example.com
    C: QUIT
    S: 221`,
    '127.0.0.2',
  );
  await chain.play(
    `
    S: 421 4.7.1 Come back later
    S: (closed)`,
    '127.0.0.3',
  );
  t.is(chain.events.filter(({ event }) => event === 'session.refused').length, 2);
});

test('a refused client is cut off without a word', async (t) => {
  const { chain } = await openDoors(t, { unwanted: { action: 'refuse' }, ...ACCEPTED });
  await chain.play('S: (closed)', '127.0.0.2');
  t.like(
    chain.events.find(({ event }) => event === 'session.refused'),
    { code: 0, reason: 'host' },
  );
  await until(() => chain.events.some(({ event }) => event === 'session.closed'));
});

const MESSAGE = `
  C: DATA
  S: 354
  C: Subject: hello
  C:
  C: .
  S: 250 2.0.0
`;

test('a relay sender may write to anybody, and nobody is asked; what is not ours goes by its own route', async (t) => {
  const { server, chain } = await openDoors(t, { friend: { action: 'relay' }, ...ACCEPTED });
  await chain.play(
    `${HELLO}
    C: RCPT TO:<ann@elsewhere.example>
    S: 250 2.1.5
    ${MESSAGE}`,
    '127.0.0.2',
  );
  // One session, that of the delivery.
  t.is(server.sessions.length, 1);
  t.true(server.sessions[0]?.lines.includes('RCPT TO:<ann@elsewhere.example>'));
  await chain.play(
    `${HELLO}
    C: RCPT TO:<nobody@example.com>
    S: 250 2.1.5
    C: RCPT TO:<postmaster>
    S: 250 2.1.5`,
    '127.0.0.2',
  );
  t.is(server.sessions.length, 1);
  t.is(chain.events.filter((event) => event.event === 'recipient.accepted' && event.kind === 'unchecked').length, 2);
});

test('bypassCallAhead of a policy takes what recipient access takes, unasked', async (t) => {
  const { server, chain } = await openDoors(t, { trusted: { bypassCallAhead: true }, ...ACCEPTED });
  await chain.play(
    `${HELLO}
    C: RCPT TO:<nobody@example.com>
    S: 250 2.1.5
    C: RCPT TO:<ann@elsewhere.example>
    S: 550 5.7.1`,
    '127.0.0.2',
  );
  t.is(server.sessions.length, 0);
});

test('connections are counted for each client over all listeners, and free again once one has gone', async (t) => {
  const { chain } = await openDoors(t, { few: { maxConnectionsPerHost: 2 } });
  const first = await openSession(t, chain.portOf('inbound'));
  await openSession(t, chain.portOf('second'));
  const full = `
    S: 421 4.7.0
    S: (closed)`;
  await chain.play(full);
  await chain.play(full, '127.0.0.1', 'second');
  await chain.play(HELLO, '127.0.0.2');
  t.like(
    chain.events.find(({ event }) => event === 'session.refused'),
    { code: 421, reason: 'connections' },
  );
  first.close();
  await until(
    () => chain.events.filter((event) => event.event === 'session.closed' && event.client === '127.0.0.1').length === 3,
  );
  await chain.play(HELLO);
});

test('the message too many in one session gets 421 at MAIL', async (t) => {
  const { chain } = await openDoors(t, { few: { maxMessagesPerConnection: 2 } });
  await chain.play(`${HELLO}
    C: RCPT TO:<known@example.com>
    S: 250
    ${MESSAGE}
    C: MAIL FROM:<a b@client.example>
    S: 501
    C: MAIL FROM:<sender@client.example>
    S: 250 2.1.0
    C: RSET
    S: 250
    C: MAIL FROM:<sender@client.example>
    S: 421 4.7.0
    S: (closed)`);
  t.like(
    chain.events.find(({ event }) => event === 'session.refused'),
    { code: 421, reason: 'messages' },
  );
  await chain.play(HELLO);
});

for (const [policy, limits] of [
  [{ maxRecipientsPerMessage: 2 }, {}],
  [{ maxRecipientsPerMessage: 5 }, { recipientsPerMessage: 2 }],
  [{ maxRecipientsPerMessage: 'unlimited' }, { recipientsPerMessage: 2 }],
] as const) {
  test(`of two limits of recipients a message the smaller holds: ${JSON.stringify([policy, limits])}`, async (t) => {
    const { chain } = await openDoors(t, { few: policy }, { limits });
    const three = `
      C: RCPT TO:<known@example.com>
      C: RCPT TO:<nobody@example.com>
      C: RCPT TO:<known@example.com>
      C: RCPT TO:<known@example.com>
      C: RCPT TO:<nobody@example.com>
      S: 250 2.1.5
      S: 550 5.1.1
      S: 250 2.1.5
      S: 452 4.5.3
      S: 452 4.5.3`;
    const transcript = await chain.play(`${HELLO}${three}
      C: RSET
      S: 250
      C: MAIL FROM:<sender@client.example>
      S: 250
      ${three}`);
    t.is(transcript.match(/S: 452/g)?.length, 4);
  });
}

test('recipients are counted by the hour for each client, over sessions and listeners; refused ones are not', async (t) => {
  const { chain } = await openDoors(t, { few: { maxRecipientsPerHour: 2 } });
  await chain.play(`${HELLO}
    C: RCPT TO:<nobody@example.com>
    S: 550 5.1.1
    C: RCPT TO:<known@example.com>
    S: 250 2.1.5`);
  await chain.play(
    `${HELLO}
    C: RCPT TO:<known@example.com>
    C: RCPT TO:<known@example.com>
    C: RCPT TO:<postmaster>
    S: 250 2.1.5
    S: 450 4.7.1
    S: 450 4.7.1`,
    '127.0.0.1',
    'second',
  );
  const other = await chain.play(
    `${HELLO}
    C: RCPT TO:<known@example.com>
    S: 250 2.1.5`,
    '127.0.0.3',
  );
  t.regex(other, /250 2\.1\.5/);
});

test('on a private listener only relay senders may send, to anybody, and no server is asked', async (t) => {
  const { server, chain } = await openDoors(t, { friend: { action: 'relay' }, ...ACCEPTED });
  await chain.play(
    `${HELLO}
    C: RCPT TO:<nobody@example.com>
    S: 250 2.1.5
    C: RCPT TO:<postmaster>
    S: 250 2.1.5`,
    '127.0.0.2',
    'inside',
  );
  await chain.play(
    `${HELLO}
    C: RCPT TO:<known@example.com>
    S: 550 5.7.1
    C: RCPT TO:<postmaster>
    S: 550 5.7.1
    C: DATA
    S: 554 5.5.1`,
    '127.0.0.3',
    'inside',
  );
  t.is(server.sessions.length, 0);
  t.is(chain.events.filter((event) => event.event === 'recipient.rejected' && event.reason === 'private').length, 2);
});

test('whom no group of a private listener matches may not send either', async (t) => {
  const { options } = await doorsWith(t, ACCEPTED);
  const hosts = {
    senderGroups: [{ name: 'one', match: '127.0.0.2', policy: 'friend' }],
    policies: { friend: { action: 'relay' } },
  };
  const chain = await openChain(t, { ...options, sections: { ...options.sections, hostAccess: { hosts } } });
  const refused = await chain.play(
    `${HELLO}
    C: RCPT TO:<known@example.com>
    S: 550 5.7.1`,
    '127.0.0.1',
    'inside',
  );
  t.regex(refused, /550 5\.7\.1/);
  await chain.play(
    `${HELLO}
    C: RCPT TO:<known@example.com>
    S: 250 2.1.5`,
    '127.0.0.1',
  );
});
