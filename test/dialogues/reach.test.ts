/** From where, and in which address family, servers are reached: `interface` and `ipFamily`, and what else a profile says of itself, seen at the servers. */
import test from 'ava';
import { openChain } from '../support/chain.ts';
import { startFakeDns } from '../support/fake-dns.ts';
import { startFakeServer } from '../support/fake-server.ts';

const users = ['known@example.com'];
const KNOWN = `
  C: RCPT TO:<known@example.com>
  S: 250 2.1.5
`;
const NO_ROUTE = `
  C: RCPT TO:<known@example.com>
  S: 451 4.4.4
`;

test('a local address is what the server sees, of questions and of deliveries', async (t) => {
  const chain = await openChain(t, {
    servers: [{ users }],
    profile: { interface: '127.0.0.2' },
    sections: { delivery: { interface: '127.0.0.3' } },
  });
  await chain.ask(`
    ${KNOWN}
    C: DATA
    S: 354
    C: Subject: hello
    C:
    C: .
    S: 250
  `);
  t.deepEqual(chain.servers[0]?.callers, ['127.0.0.2', '127.0.0.3']);
});

for (const host of ['127.0.0.1', '::1']) {
  test(`the interface lo reaches ${host}`, async (t) => {
    const chain = await openChain(t, { servers: [{ users, host }], profile: { interface: 'lo' } });
    await chain.ask(KNOWN);
    t.deepEqual(chain.servers[0]?.callers, [host]);
  });
}

test('a local address or an interface that is not there leaves nothing to connect to, and the sender waits for no time-out', async (t) => {
  const chain = await openChain(t, {
    servers: [{ users }, { users }],
    rows: [{ interface: '203.0.113.1' }, { interface: 'none-such' }],
  });
  await chain.ask(NO_ROUTE, 'row0');
  await chain.ask(NO_ROUTE, 'row1');
  for (const server of chain.servers) t.is(server.sessions.length, 0);
  const dialogue = chain.events.flatMap((event) => (event.event === 'probe.dialogue' ? event.lines : [])).join('\n');
  t.regex(dialogue, /cannot connect from 203\.0\.113\.1: EADDRNOTAVAIL/);
  t.regex(dialogue, /there is no interface none-such/);
});

test('of a name with addresses of both families only those of the wanted one are reached', async (t) => {
  const six = await startFakeServer({ users, host: '::1' });
  t.teardown(six.stop);
  const four = await startFakeServer({ users, port: six.port });
  t.teardown(four.stop);
  const dns = await startFakeDns({
    'mail.internal': [
      { type: 'A', data: '127.0.0.1' },
      { type: 'AAAA', data: '::1' },
    ],
    'four.internal': [{ type: 'A', data: '127.0.0.1' }],
  });
  t.teardown(dns.stop);
  const servers = `mail.internal:${six.port}`;
  const chain = await openChain(t, {
    servers: [],
    profile: { servers },
    rows: [
      { servers, ipFamily: 6 },
      { servers, ipFamily: 4 },
      { servers: `four.internal:${six.port}`, ipFamily: 6 },
    ],
    sections: { dns: { servers: [dns.at] } },
  });
  await chain.ask(KNOWN, 'row0');
  t.deepEqual([six.callers, four.callers], [['::1'], []]);
  await chain.ask(KNOWN, 'row1');
  t.deepEqual([six.callers, four.callers], [['::1'], ['127.0.0.1']]);
  await chain.ask(NO_ROUTE, 'row2');
});

test('heloName is how the gateway introduces itself to the servers that it asks', async (t) => {
  const chain = await openChain(t, { servers: [{ users }], profile: { heloName: 'probe.gateway.example' } });
  await chain.ask(KNOWN);
  t.is(chain.servers[0]?.sessions[0]?.lines[0], 'EHLO probe.gateway.example');
});
