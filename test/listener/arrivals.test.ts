import { connect as connectPlain } from 'node:net';
import type { Event } from '@callahead/core';
import test from 'ava';
import { connectClient, play } from '../support/dialogue.ts';
import { fakeRelay, openFrontDoor } from '../support/front-door.ts';
import { proxyBlock, proxyBlock4, proxyBlock6, proxyLine } from '../support/proxy-headers.ts';
import { connectSecurely, tlsSettings } from '../support/tls-client.ts';
import { until } from '../support/until.ts';

const BEHIND = { settings: { proxyProtocol: { trusted: [{ address: '127.0.0.0', prefix: 8 }] } } };
const ELSEWHERE = { settings: { proxyProtocol: { trusted: [{ address: '127.0.0.9', prefix: 32 }] } } };

function clientsIn(events: readonly Event[]): readonly string[] {
  return events.flatMap((event) => (event.event === 'session.opened' ? [event.client] : []));
}

function reasonsIn(events: readonly Event[]): readonly string[] {
  return events.flatMap((event) => (event.event === 'proxy.refused' ? [event.reason] : []));
}

const six = Buffer.from('20010db8000000000000000000000007', 'hex');
const HEADERS: readonly [string, Buffer, string][] = [
  ['a line', Buffer.from(proxyLine('203.0.113.7')), '203.0.113.7'],
  ['a line with IPv6', Buffer.from(proxyLine('2001:db8::7')), '2001:db8::7'],
  ['a line without a name', Buffer.from('PROXY UNKNOWN\r\n'), '127.0.0.1'],
  ['a block', proxyBlock4('203.0.113.7'), '203.0.113.7'],
  ['a block with IPv6', proxyBlock6(six), '2001:db8::7'],
  ['a block of the proxy itself', proxyBlock(0, Buffer.alloc(0), Buffer.alloc(0), 0), '127.0.0.1'],
];
for (const [what, header, address] of HEADERS) {
  test(`by ${what} a trusted proxy says who the client is, everywhere`, async (t) => {
    const relay = fakeRelay();
    const { port, events } = await openFrontDoor(t, { ...BEHIND, relay });
    const client = await connectClient(port);
    t.teardown(client.close);
    client.socket.write(header);
    t.regex((await client.line()) ?? '', /^220/);
    for (const line of ['EHLO client.example', 'MAIL FROM:<>', 'RCPT TO:<known@example.com>', 'DATA']) {
      client.send(`${line}\r\n`);
      await client.reply();
    }
    client.send('Subject: one\r\n\r\n.\r\n');
    await client.reply();
    t.deepEqual(clientsIn(events), [address]);
    t.like(
      events.find(({ event }) => event === 'recipient.accepted'),
      { client: address },
    );
    const literal = address.includes(':') ? `[IPv6:${address}]` : `[${address}]`;
    t.true(relay.deliveries[0]?.data.startsWith(`Received: from client.example (${literal})`));
  });
}

test('an octet at a time is a header too, and nothing is said before its last one', async (t) => {
  const { port, listener } = await openFrontDoor(t, BEHIND);
  const client = await connectClient(port);
  t.teardown(client.close);
  let greeted = false;
  client.socket.once('data', () => {
    greeted = true;
  });
  for (const octet of proxyLine('203.0.113.7').split('')) {
    t.false(greeted);
    client.socket.write(octet);
    await until(() => listener.sessions() === 1);
  }
  t.regex((await client.line()) ?? '', /^220/);
});

test('a header that is none ends the connection without a word, and is told', async (t) => {
  const { port, listener, events } = await openFrontDoor(t, BEHIND);
  await play(port, 'C: EHLO client.example\nS: (closed)');
  await play(port, `C! ${JSON.stringify(`PROXY ${'x'.repeat(200)}`)}\nS: (closed)`);
  t.deepEqual(reasonsIn(events), [
    'the connection does not begin with a PROXY header',
    'the PROXY line has more than 107 octets',
  ]);
  t.is(listener.sessions(), 0);
  t.deepEqual(clientsIn(events), []);
});

test('who does not send a header, or not all of it, is waited for five seconds, and takes a place', async (t) => {
  const { port, listener, events } = await openFrontDoor(t, { ...BEHIND, limits: { sessions: 1 } });
  const startMs = performance.now();
  const client = await connectClient(port);
  t.teardown(client.close);
  await until(() => listener.sessions() === 1);
  await play(port, 'S: 421 4.3.2\nS: (closed)');
  client.send('PROXY ');
  t.is(await client.line(), null);
  t.true(performance.now() - startMs > 4_900);
  t.deepEqual(reasonsIn(events), ['no PROXY header in time']);
});

test('a proxy that only looks whether somebody listens is no trouble, and one that breaks off is', async (t) => {
  const { port, listener, events } = await openFrontDoor(t, BEHIND);
  for (const said of ['', 'PROXY TCP4']) {
    const client = await connectClient(port);
    client.socket.end(said);
    await until(() => listener.sessions() === 0);
    client.close();
  }
  await until(() => reasonsIn(events).length === 1);
  t.deepEqual(reasonsIn(events), ['the PROXY header breaks off']);
});

test('a proxy that is not trusted is a client like any other, and its header ends the session', async (t) => {
  const { port, events } = await openFrontDoor(t, ELSEWHERE);
  await play(port, 'S: 220\nC: QUIT\nS: 221\nS: (closed)');
  await play(port, `C! ${JSON.stringify(proxyLine('203.0.113.7'))}\nS: 554 5.5.0\nS: (closed)`);
  await play(port, `S: 220\nC! ${JSON.stringify(proxyLine('203.0.113.7'))}\nS: 421 4.7.0\nS: (closed)`);
  t.deepEqual(clientsIn(events), ['127.0.0.1', '127.0.0.1', '127.0.0.1']);
});

test('a second header is not SMTP', async (t) => {
  const { port, events } = await openFrontDoor(t, BEHIND);
  const header = proxyLine('203.0.113.7');
  await play(port, `C! ${JSON.stringify(header + header)}\nS: 554 5.5.0\nS: (closed)`);
  await play(port, `C! ${JSON.stringify(header)}\nS: 220\nC! ${JSON.stringify(header)}\nS: 421 4.7.0\nS: (closed)`);
  t.deepEqual(clientsIn(events), ['203.0.113.7', '203.0.113.7']);
});

test('the header stands before TLS', async (t) => {
  const settings = { ...BEHIND.settings, tls: tlsSettings('implicit') };
  const { port, events } = await openFrontDoor(t, { settings });
  const client = await connectSecurely(port, proxyBlock4('203.0.113.7'));
  t.teardown(client.close);
  t.regex((await client.line()) ?? '', /^220/);
  t.deepEqual(clientsIn(events), ['203.0.113.7']);
});

test('a drain waits for no header', async (t) => {
  const { port, listener } = await openFrontDoor(t, BEHIND);
  const socket = connectPlain(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  await until(() => listener.sessions() === 1);
  await listener.drain(performance.now() + 60_000);
  t.is(listener.sessions(), 0);
});
