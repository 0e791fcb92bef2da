/** Mailbox servers that speak LMTP (RFC 2033), asked and delivered to, heard by a sender and seen at the server. */
import { join } from 'node:path';
import test from 'ava';
import { openChain } from '../support/chain.ts';
import { temporaryFolder } from '../support/debian.ts';
import { startFakeServer } from '../support/fake-server.ts';

const users = ['anna@example.com', 'bert@example.com'];
const LMTP = { protocol: 'lmtp' };

const MESSAGE = `
  C: DATA
  S: 354
  C: Subject: hello
  C:
  C: Hello.
  C: .
`;

test('recipients are asked about and delivered to by LMTP, without HELO and without DATA for a question', async (t) => {
  const chain = await openChain(t, { servers: [{ protocol: 'lmtp', users }], profile: LMTP });
  await chain.ask(`
    C: RCPT TO:<nobody@example.com>
    C: RCPT TO:<anna@example.com>
    S: 550 5.1.1
    S: 250 2.1.5
    ${MESSAGE}
    S: 250 2.0.0
  `);
  const [server] = chain.servers;
  t.deepEqual(
    server?.messages.map(({ recipients }) => recipients),
    [['anna@example.com']],
  );
  const [question, delivery] = server?.sessions ?? [];
  t.is(question?.lines[0], 'LHLO mx.gateway.example');
  t.false(question?.lines.includes('DATA'));
  t.is(delivery?.lines[0], 'LHLO mx.gateway.example');
});

test('each recipient of an LMTP server has a transaction of its own, and may be named again in it', async (t) => {
  const chain = await openChain(t, { servers: [{ protocol: 'lmtp', users }], profile: LMTP });
  await chain.ask(`
    C: RCPT TO:<anna@example.com>
    C: RCPT TO:<bert@example.com>
    C: RCPT TO:<anna@example.com>
    S: 250 2.1.5
    S: 452 4.5.3
    S: 250 2.1.5
    ${MESSAGE}
    S: 250 2.0.0
    C: MAIL FROM:<sender@client.example>
    C: RCPT TO:<bert@example.com>
    S: 250 2.1.0
    S: 250 2.1.5
    ${MESSAGE}
    S: 250 2.0.0
  `);
  t.deepEqual(
    chain.servers[0]?.messages.map(({ recipients }) => recipients),
    [['anna@example.com'], ['bert@example.com']],
  );
});

test('what the mailbox says to the message is what its sender hears', async (t) => {
  const server = { protocol: 'lmtp', users, on: { DOT: () => '552 5.2.2 Over quota' } } as const;
  const chain = await openChain(t, { servers: [server], profile: LMTP });
  await chain.ask(`
    C: RCPT TO:<anna@example.com>
    S: 250 2.1.5
    ${MESSAGE}
    S: 552 5.2.2
  `);
  t.true(chain.events.some(({ event }) => event === 'message.refused'));
});

test('a server behind a unix socket is asked and delivered to', async (t) => {
  const folder = await temporaryFolder('lmtp');
  t.teardown(folder.remove);
  const server = { protocol: 'lmtp', users, path: join(folder.path, 'lmtp') } as const;
  const chain = await openChain(t, { servers: [server], profile: LMTP });
  await chain.ask(`
    C: RCPT TO:<nobody@example.com>
    C: RCPT TO:<anna@example.com>
    S: 550 5.1.1
    S: 250 2.1.5
    ${MESSAGE}
    S: 250 2.0.0
  `);
  t.is(chain.servers[0]?.messages.length, 1);
});

test('a unix socket that nobody listens on is no connection', async (t) => {
  const profile = { ...LMTP, servers: 'unix:/nonexistent/lmtp', validationTimeout: 2 };
  const chain = await openChain(t, { servers: [], profile });
  await chain.ask(`
    C: RCPT TO:<anna@example.com>
    S: 451 4.4.1
  `);
  const said = chain.events.flatMap((event) => (event.event === 'probe.dialogue' ? event.lines : []));
  t.true(said.some((line) => line.includes('unix:/nonexistent/lmtp: ENOENT')));
});

test('an SMTP server is no LMTP server: nobody is asked, and HELO is not tried', async (t) => {
  const chain = await openChain(t, { servers: [{ users }], profile: LMTP });
  await chain.ask(`
    C: RCPT TO:<anna@example.com>
    S: 451 4.5.0
  `);
  t.deepEqual(chain.servers[0]?.asked, []);
  t.false(chain.servers[0]?.sessions[0]?.lines.some((line) => /^(EHLO|HELO)/.test(line)));
});

test('where a route says where mail goes it goes by SMTP, though the profile asks by LMTP', async (t) => {
  const relay = await startFakeServer({ users });
  t.teardown(relay.stop);
  const chain = await openChain(t, {
    servers: [{ protocol: 'lmtp', users }],
    profile: LMTP,
    sections: { smtpRoutes: { 'example.com': relay.at } },
  });
  await chain.ask(`
    C: RCPT TO:<anna@example.com>
    C: RCPT TO:<bert@example.com>
    S: 250 2.1.5
    S: 250 2.1.5
    ${MESSAGE}
    S: 250 2.0.0
  `);
  t.deepEqual(
    relay.messages.map(({ recipients }) => recipients),
    [users],
  );
  t.is(relay.sessions[0]?.lines[0], 'EHLO mx.gateway.example');
  t.deepEqual(chain.servers[0]?.messages, []);
});
