import { connect as connectPlain } from 'node:net';
import { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import { EVERYBODY, type Event, type HostAccess, type Policy } from '@callahead/core';
import test from 'ava';
import { type Client, openSession, play } from '../support/dialogue.ts';
import { fakeRelay, openFrontDoor } from '../support/front-door.ts';
import { connectSecurely, secured, shakeHands, tlsSettings } from '../support/tls-client.ts';
import { until } from '../support/until.ts';

const OPTIONAL = { settings: { tls: tlsSettings('optional') } };
const REQUIRED = { settings: { tls: tlsSettings('required') } };
const IMPLICIT = { settings: { tls: tlsSettings('implicit') } };

async function ask(client: Client, command: string): Promise<string> {
  client.send(`${command}\r\n`);
  return (await client.reply()).join('\n');
}

function reasonsIn(events: readonly Event[]): readonly string[] {
  return events.flatMap((event) => (event.event === 'session.not-secured' ? [event.reason] : []));
}

test('STARTTLS is offered until TLS is there, and then EHLO comes again', async (t) => {
  const { port, events } = await openFrontDoor(t, OPTIONAL);
  const plain = await openSession(t, port);
  t.regex(await ask(plain, 'EHLO client.example'), /^250 STARTTLS$/m);
  t.regex(await ask(plain, 'MAIL FROM:<>'), /^250/);
  const client = await secured(plain);
  t.regex(await ask(client, 'RCPT TO:<known@example.com>'), /^503 5\.5\.1 Say EHLO/);
  t.regex(await ask(client, 'MAIL FROM:<>'), /^503 5\.5\.1 Say EHLO/);
  t.notRegex(await ask(client, 'EHLO client.example'), /STARTTLS/);
  t.regex(await ask(client, 'STARTTLS'), /^503 5\.5\.1/);
  t.regex(await ask(client, 'MAIL FROM:<>'), /^250/);
  t.regex(await ask(client, 'QUIT'), /^221/);
  t.is(await client.line(), null);
  t.like(
    events.find(({ event }) => event === 'session.secured'),
    { listener: 'inbound', client: '127.0.0.1', protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' },
  );
});

test('a message that came encrypted says so', async (t) => {
  const relay = fakeRelay();
  const { port } = await openFrontDoor(t, { ...OPTIONAL, relay });
  const client = await secured(await openSession(t, port, 'EHLO client.example'));
  for (const command of ['EHLO client.example', 'MAIL FROM:<>', 'RCPT TO:<known@example.com>', 'DATA'])
    await ask(client, command);
  client.send('Subject: secret\r\n\r\n.\r\n');
  t.regex((await client.line()) ?? '', /^250/);
  t.regex(
    relay.deliveries[0]?.data ?? '',
    /\r\n\t\(using TLSv1\.3 with cipher TLS_AES_256_GCM_SHA384\)\r\n\tby mx\.gateway\.example with ESMTPS id /,
  );
});

test('STARTTLS is unknown where there is no TLS, and has no parameters', async (t) => {
  const off = await openFrontDoor(t);
  const client = await openSession(t, off.port);
  t.notRegex(await ask(client, 'EHLO client.example'), /STARTTLS/);
  t.regex(await ask(client, 'STARTTLS'), /^502 5\.5\.1/);
  const { port } = await openFrontDoor(t, OPTIONAL);
  const other = await openSession(t, port);
  t.regex(await ask(other, 'STARTTLS now'), /^501 5\.5\.4/);
  t.regex(await ask(await secured(other), 'EHLO client.example'), /^250/);
});

test('what is pipelined behind STARTTLS is never obeyed', async (t) => {
  const { port, events } = await openFrontDoor(t, OPTIONAL);
  for (const behind of ['EHLO x.example\r\n', 'EHLO', '\0']) {
    const client = await openSession(t, port, 'EHLO client.example');
    client.send(`STARTTLS\r\n${behind}`);
    t.regex((await client.line()) ?? '', /^554 5\.5\.0/);
    t.is(await client.line(), null);
  }
  t.deepEqual(reasonsIn(events), []);
});

test('what comes in plain text after the 220 ends the session unread', async (t) => {
  const { port, listener, events } = await openFrontDoor(t, OPTIONAL);
  const client = await openSession(t, port, 'EHLO client.example', 'STARTTLS');
  client.send('MAIL FROM:<a@client.example>\r\nRCPT TO:<known@example.com>\r\n');
  while ((await client.line()) !== null);
  await until(() => listener.sessions() === 0);
  t.is(reasonsIn(events).length, 1);
  t.notRegex(client.transcript(), /250 2\.1/);
});

test('where TLS is required nothing but NOOP, EHLO, STARTTLS and QUIT comes before it', async (t) => {
  const { port } = await openFrontDoor(t, REQUIRED);
  const client = await openSession(t, port);
  for (const command of ['HELO client.example', 'MAIL FROM:<>', 'RCPT TO:<known@example.com>', 'RSET', 'DATA', 'X'])
    t.is(await ask(client, command), '530 5.7.0 Must issue a STARTTLS command first');
  t.regex(await ask(client, 'NOOP'), /^250/);
  t.regex(await ask(client, 'EHLO client.example'), /^250 STARTTLS$/m);
  t.regex(await ask(client, 'MAIL FROM:<>'), /^530/);
  const encrypted = await secured(client);
  await ask(encrypted, 'EHLO client.example');
  t.regex(await ask(encrypted, 'MAIL FROM:<>'), /^250/);
  t.regex(await ask(encrypted, 'QUIT'), /^221/);
  await play(port, 'S: 220\nC: QUIT\nS: 221\nS: (closed)');
});

test('where TLS is required a client cannot ask for mail in plain text for ever', async (t) => {
  const { port } = await openFrontDoor(t, REQUIRED);
  const client = await openSession(t, port);
  client.send('MAIL FROM:<>\r\n'.repeat(200));
  let last = '';
  for (let line = await client.line(); line !== null; line = await client.line()) last = line;
  t.regex(last, /^421 4\.7\.0/);
});

function policyOf(tls: Policy['tls']): HostAccess {
  const admission = { ...EVERYBODY, policy: { ...EVERYBODY.policy, tls } };
  return { decide: () => admission, maxConnectionsPerHost: null };
}

test('a policy may require TLS where the listener only offers it', async (t) => {
  const settings = { tls: tlsSettings('optional'), hostAccess: policyOf('required') };
  const { port } = await openFrontDoor(t, { settings });
  const client = await openSession(t, port, 'EHLO client.example');
  t.regex(await ask(client, 'MAIL FROM:<>'), /^530 5\.7\.0/);
  const encrypted = await secured(client);
  await ask(encrypted, 'EHLO client.example');
  t.regex(await ask(encrypted, 'MAIL FROM:<>'), /^250/);
});

test('a policy without TLS offers none, and asks for none', async (t) => {
  for (const mode of ['optional', 'required'] as const) {
    const settings = { tls: tlsSettings(mode), hostAccess: policyOf('off') };
    const { port } = await openFrontDoor(t, { settings });
    const client = await openSession(t, port);
    t.notRegex(await ask(client, 'EHLO client.example'), /STARTTLS/);
    t.regex(await ask(client, 'STARTTLS'), /^502/);
    t.regex(await ask(client, 'MAIL FROM:<>'), /^250/);
  }
});

test('a listener with TLS begins with it, and greets inside', async (t) => {
  const { port, listener, events } = await openFrontDoor(t, IMPLICIT);
  const client = await connectSecurely(port);
  t.regex((await client.line()) ?? '', /^220 mx\.gateway\.example/);
  t.notRegex(await ask(client, 'EHLO client.example'), /STARTTLS/);
  t.regex(await ask(client, 'MAIL FROM:<>'), /^250/);
  t.regex(await ask(client, 'QUIT'), /^221/);
  t.is(await client.line(), null);
  await until(() => listener.sessions() === 0);
  t.deepEqual(
    events.map(({ event }) => event),
    ['session.opened', 'session.secured', 'session.closed'],
  );
});

test('who talks too soon inside TLS talks too soon', async (t) => {
  const { port } = await openFrontDoor(t, IMPLICIT);
  const client = await connectSecurely(port);
  client.send('EHLO client.example\r\n');
  t.regex((await client.line()) ?? '', /^554 5\.5\.0/);
  t.is(await client.line(), null);
});

const NO_HELLO: readonly [string, Buffer][] = [
  ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: mx.gateway.example\r\n\r\n')],
  ['SMTP', Buffer.from('EHLO client.example\r\n')],
  ['garbage', Buffer.alloc(100, 0xff)],
  ['a hello of SSLv2', Buffer.from('802e0100020015000000100100800200800300800600400400800700c0', 'hex')],
  ['a hello that announces more than there may be', Buffer.from('160301ffff', 'hex')],
];
for (const [what, octets] of NO_HELLO) {
  test(`${what} in place of a handshake ends the connection, and is told`, async (t) => {
    const { port, listener, events } = await openFrontDoor(t, IMPLICIT);
    const socket = connectPlain(port, '127.0.0.1');
    t.teardown(() => socket.destroy());
    socket.on('error', () => {});
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.resume();
    socket.write(octets);
    await closed;
    await until(() => reasonsIn(events).length === 1);
    t.is(listener.sessions(), 0);
    t.regex(reasonsIn(events)[0] ?? '', /^[ -~]+$/);
  });
}

test('a handshake that trickles has an end, and takes a place until then', async (t) => {
  const { port, listener, events } = await openFrontDoor(t, {
    ...IMPLICIT,
    limits: { commandTimeoutMs: 300, sessions: 1 },
  });
  const socket = connectPlain(port, '127.0.0.1');
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.resume();
  const trickle = setInterval(() => socket.write('\x16'), 50);
  t.teardown(() => {
    clearInterval(trickle);
    socket.destroy();
  });
  socket.write(Buffer.from('16030101', 'hex'));
  await until(() => listener.sessions() === 1);
  await t.throwsAsync(connectSecurely(port));
  await closed;
  await until(() => reasonsIn(events).length === 1);
  t.is(listener.sessions(), 0);
});

test('a handshake after STARTTLS has an end', async (t) => {
  const { port, listener, events } = await openFrontDoor(t, { ...OPTIONAL, limits: { commandTimeoutMs: 200 } });
  const client = await openSession(t, port, 'EHLO client.example', 'STARTTLS');
  t.is(await client.line(), null);
  await until(() => listener.sessions() === 0);
  t.deepEqual(reasonsIn(events), ['no handshake in time']);
});

test('clients that go in the midst of a handshake leave nothing behind', async (t) => {
  const { port, listener, events } = await openFrontDoor(t, IMPLICIT);
  const starttls = await openFrontDoor(t, OPTIONAL);
  const hello = Buffer.from('1603010100010000fc0303', 'hex');
  for (const leave of ['destroy', 'resetAndDestroy', 'end'] as const) {
    const socket = connectPlain(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.resume();
    socket.write(hello);
    await until(() => listener.sessions() === 1);
    socket[leave]();
    await until(() => listener.sessions() === 0);
    const client = await openSession(t, starttls.port, 'EHLO client.example', 'STARTTLS');
    client.socket.write(hello);
    client.socket[leave]();
    await until(() => starttls.listener.sessions() === 0);
  }
  await until(() => reasonsIn(events).length === 3);
  t.is(starttls.events.filter(({ event }) => event === 'session.closed').length, 3);
});

test('a drain waits for nobody who shakes hands', async (t) => {
  const { port, listener } = await openFrontDoor(t, IMPLICIT);
  const waiting = connectPlain(port, '127.0.0.1');
  waiting.on('error', () => {});
  waiting.resume();
  await until(() => listener.sessions() === 1);
  const starttls = await openFrontDoor(t, OPTIONAL);
  const client = await openSession(t, starttls.port, 'EHLO client.example', 'STARTTLS');
  await listener.drain(performance.now() + 60_000);
  await starttls.listener.drain(performance.now() + 50);
  t.is(await client.line(), null);
  t.is(listener.sessions() + starttls.listener.sessions(), 0);
});

test('a drain tells those who have shaken hands by then, encrypted', async (t) => {
  const { port, listener } = await openFrontDoor(t, OPTIONAL);
  const client = await openSession(t, port, 'EHLO client.example', 'STARTTLS');
  const drained = listener.drain(performance.now() + 60_000);
  const socket = await shakeHands(client.socket);
  const told = new Promise<string>((resolve) => socket.once('data', (chunk: Buffer) => resolve(chunk.toString())));
  t.regex(await told, /^421 4\.3\.2/);
  await drained;
});

test('versions older than the oldest are not spoken', async (t) => {
  const { port, events } = await openFrontDoor(t, {
    settings: { tls: tlsSettings('implicit', { minVersion: 'TLSv1.3' }) },
  });
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
  const error = await new Promise<Error>((resolve) => socket.once('error', resolve));
  t.regex(error.message, /version/);
  await until(() => reasonsIn(events).length === 1);
  t.deepEqual(reasonsIn(events), ['unsupported protocol']);
});

test('a broken record in the midst of a session ends it', async (t) => {
  const { port, listener, events } = await openFrontDoor(t, IMPLICIT);
  const plain = connectPlain(port, '127.0.0.1');
  t.teardown(() => plain.destroy());
  const secure = connect({ socket: Duplex.from({ readable: plain, writable: plain }), rejectUnauthorized: false });
  secure.on('error', () => {});
  await new Promise((resolve) => secure.once('data', resolve));
  plain.write(Buffer.from('1703030010000102030405060708090a0b0c0d0e0f', 'hex'));
  await until(() => listener.sessions() === 0);
  t.is(events.filter(({ event }) => event === 'session.closed').length, 1);
});
