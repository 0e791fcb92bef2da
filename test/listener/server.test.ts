import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Verdict } from '@callahead/core';
import test from 'ava';
import { type Client, connectClient, play } from '../support/dialogue.ts';
import { fakeRelay, openFrontDoor } from '../support/front-door.ts';
import { until } from '../support/until.ts';

/** A client that has said these commands, and read their replies. */
async function clientThatSaid(port: number, ...commands: readonly string[]): Promise<Client> {
  const client = await connectClient(port);
  await client.reply();
  for (const command of ['EHLO client.example', ...commands]) {
    client.send(`${command}\r\n`);
    await client.reply();
  }
  return client;
}

test('a listener tells the port that the system chose, and rejects one that is taken', async (t) => {
  const { port } = await openFrontDoor(t);
  t.true(port > 0);
  await t.throwsAsync(openFrontDoor(t, { settings: { listen: [{ host: '127.0.0.1', port }] } }), {
    code: 'EADDRINUSE',
  });
});

test('every socket of a listener is told', async (t) => {
  const { listener } = await openFrontDoor(t, { settings: { listen: [] } });
  t.deepEqual(await listener.listen(), []);
});

test('an overloaded gateway turns new sessions away, and keeps the others', async (t) => {
  let overloaded = false;
  const { port, listener, events } = await openFrontDoor(t, { overloaded: () => overloaded });
  const before = await clientThatSaid(port);
  overloaded = true;
  await play(port, 'S: 421 4.3.2\nS: (closed)');
  before.send('NOOP\r\n');
  t.regex((await before.line()) ?? '', /^250/);
  t.is(listener.sessions(), 1);
  t.like(
    events.filter(({ event }) => event === 'session.shed'),
    [{ reason: 'overload', count: 1, client: '127.0.0.1' }],
  );
  before.close();
});

test('so many sessions are open at once, and no more', async (t) => {
  const { port, listener, events } = await openFrontDoor(t, { limits: { sessions: 2 } });
  const [first, second] = [await clientThatSaid(port), await clientThatSaid(port)];
  await play(port, 'S: 421 4.3.2\nS: (closed)');
  first.close();
  await until(() => listener.sessions() <= 1);
  const third = await clientThatSaid(port);
  t.is(listener.sessions(), 2);
  t.is(events.filter(({ event }) => event === 'session.opened').length, 3);
  second.close();
  third.close();
});

/** Says QUIT, hears the reply and the end, and stays. */
async function lingeringClient(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  await once(socket, 'data');
  socket.write('QUIT\r\n');
  socket.resume();
  await once(socket, 'end');
  return socket;
}

test('whoever stays after his last reply takes nobody the place', async (t) => {
  const { port, listener } = await openFrontDoor(t, { limits: { sessions: 2 } });
  const lingering: Socket[] = [];
  for (let i = 0; i < 4; i++) lingering.push(await lingeringClient(port));
  t.is(listener.sessions(), 4);
  const [first, second] = [await clientThatSaid(port), await clientThatSaid(port)];
  await play(port, 'S: 421 4.3.2\nS: (closed)');
  first.close();
  second.close();
  for (const socket of lingering) socket.destroy();
});

test('of very many who stay after their last reply the first are cut off', async (t) => {
  const together = 150;
  const { port, listener } = await openFrontDoor(t, { limits: { sessions: together } });
  const lingering: Socket[] = [];
  let most = 0;
  while (lingering.length < 10 * together) {
    lingering.push(...(await Promise.all(Array.from({ length: together }, () => lingeringClient(port)))));
    most = Math.max(most, listener.sessions());
  }
  t.true(most <= 1_000 + together, `${most} at once`);
  for (const socket of lingering) socket.destroy();
});

test('clients that there is no room for are told of at once, then once a second, and none is forgotten', async (t) => {
  const { port, listener, events } = await openFrontDoor(t, { limits: { sessions: 1 } });
  const only = await clientThatSaid(port);
  const told = () => events.flatMap((event) => (event.event === 'session.shed' ? [event.count] : []));
  const all = () => told().reduce((sum, count) => sum + count, 0);
  const startedMs = performance.now();
  await play(port, 'S: 421 4.3.2\nS: (closed)');
  t.deepEqual(told(), [1]);
  for (let i = 0; i < 20; i++) await play(port, 'S: 421 4.3.2\nS: (closed)');
  await until(() => all() === 21);
  t.true(told().length <= 2 + (performance.now() - startedMs) / 1_000, told().join());
  await play(port, 'S: 421 4.3.2\nS: (closed)');
  only.close();
  await listener.drain(performance.now());
  t.is(all(), 22);
});

test('every session has a name of its own', async (t) => {
  const { port, events } = await openFrontDoor(t);
  for (let i = 0; i < 3; i++) (await clientThatSaid(port)).close();
  const names = events.flatMap((event) => (event.event === 'session.opened' ? [event.session] : []));
  t.is(new Set(names).size, 3);
});

test('a drain sends idle sessions away, and lets a transaction finish', async (t) => {
  const relay = fakeRelay();
  const { port, listener } = await openFrontDoor(t, { relay });
  const idle = await clientThatSaid(port);
  const busy = await clientThatSaid(port, 'MAIL FROM:<>', 'RCPT TO:<known@example.com>');
  const drained = listener.drain(performance.now() + 60_000);
  t.regex((await idle.line()) ?? '', /^421 4\.3\.2/);
  t.is(await idle.line(), null);
  await t.throwsAsync(connectClient(port));
  busy.send('DATA\r\n');
  t.regex((await busy.line()) ?? '', /^354/);
  busy.send('Subject: last\r\n.\r\n');
  t.regex((await busy.line()) ?? '', /^250 2\.0\.0/);
  t.regex((await busy.line()) ?? '', /^421 4\.3\.2/);
  t.is(await busy.line(), null);
  await drained;
  t.is(listener.sessions(), 0);
  t.is(relay.deliveries.length, 1);
});

test('a transaction that is reset is over for a drain', async (t) => {
  const { port, listener } = await openFrontDoor(t);
  const client = await clientThatSaid(port, 'MAIL FROM:<>');
  const drained = listener.drain(performance.now() + 60_000);
  client.send('RSET\r\n');
  t.regex((await client.line()) ?? '', /^250/);
  t.regex((await client.line()) ?? '', /^421 4\.3\.2/);
  await drained;
});

test('a drain has an end: what waits then is told so', async (t) => {
  let asked = (): void => {};
  const asking = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const validate = (): Promise<Verdict> => {
    asked();
    return new Promise(() => {});
  };
  const { port, listener } = await openFrontDoor(t, { validate });
  const client = await clientThatSaid(port, 'MAIL FROM:<>');
  client.send('RCPT TO:<known@example.com>\r\n');
  await asking;
  const drained = listener.drain(performance.now() + 50);
  t.regex((await client.line()) ?? '', /^421 4\.3\.2/);
  t.is(await client.line(), null);
  await drained;
  t.is(listener.sessions(), 0);
});

test('a drain finds sessions that were not greeted yet', async (t) => {
  const { port, listener } = await openFrontDoor(t);
  const client = await connectClient(port);
  await until(() => listener.sessions() !== 0);
  await listener.drain(performance.now() + 60_000);
  t.regex((await client.line()) ?? '', /^421 4\.3\.2/);
});

test('a client that resets the connection at any step harms nobody', async (t) => {
  const { port, listener } = await openFrontDoor(t, { validate: () => new Promise<Verdict>(() => {}) });
  const steps = [[], ['MAIL FROM:<>'], ['MAIL FROM:<>', 'RCPT TO:<free@example.com>']];
  for (const step of [...steps, ['MAIL FROM:<>', 'RCPT TO:<free@example.com>', 'DATA']]) {
    const client = await clientThatSaid(port, ...step);
    client.send('RCPT TO:<known@example.com>\r\n');
    client.socket.resetAndDestroy();
  }
  await until(() => listener.sessions() <= 0);
  await play(port, 'S: 220\nC: QUIT\nS: 221');
  t.is(listener.sessions() <= 1, true);
});
