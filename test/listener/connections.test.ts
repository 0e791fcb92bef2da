import test from 'ava';
import { createConnections } from '../../packages/listener/src/connections.ts';
import { createRelay } from '../../packages/listener/src/relay.ts';
import type { Handler } from '../support/fake-server.ts';
import { allClosed, envelopeTo, gone, HOSTNAME, MESSAGE, send, startRelay } from '../support/relays.ts';
import { until } from '../support/until.ts';

const LONG_MS = 60_000;

test('the next message takes the connection of the one before it, behind nothing but MAIL', async (t) => {
  const bench = await startRelay(t, [{}], { idleMs: LONG_MS });
  for (let i = 0; i < 3; i++) t.is((await send(bench)).code, 250);
  const [server] = bench.servers;
  t.is(server?.messages.length, 3);
  t.is(server?.sessions.length, 1);
  t.deepEqual(
    server?.sessions[0]?.lines.filter((line) => /^(EHLO|RSET)/.test(line)),
    [`EHLO ${HOSTNAME}`],
  );
});

test('a connection that nobody wants is closed with QUIT', async (t) => {
  const bench = await startRelay(t, [{}], { idleMs: 20 });
  await send(bench);
  await allClosed(bench);
  t.is(bench.servers[0]?.sessions[0]?.lines.at(-1), 'QUIT');
});

for (const [verb, yes] of [
  ['RCPT', '250 Ok'],
  ['DATA', '354 Go ahead'],
  ['DOT', '250 Queued'],
] as const) {
  test(`after a no to ${verb} the server forgets with RSET what was said, and the connection is used again`, async (t) => {
    let times = 0;
    const on = { [verb]: () => (times++ === 0 ? '450 4.2.0 Later' : yes) };
    const bench = await startRelay(t, [{ on }], { settings: { maxConnectionsPerServer: 1 }, idleMs: LONG_MS });
    t.is((await send(bench)).code, 450);
    t.is((await send(bench)).code, 250);
    const [server] = bench.servers;
    t.is(server?.messages.length, verb === 'DOT' ? 2 : 1);
    t.is(server?.sessions.length, 1);
    t.is(server?.sessions[0]?.lines.filter((line) => line === 'RSET').length, 1);
  });
}

test('a server that does not forget is not asked again over that connection', async (t) => {
  const bench = await startRelay(t, [{ on: { RCPT: () => '450 Later', RSET: () => '500 What?' } }], {
    idleMs: LONG_MS,
  });
  await send(bench);
  await allClosed(bench);
  t.is(bench.relay.connections(), 0);
});

test('a connection that was closed while it waited is replaced, and nobody hears of it', async (t) => {
  for (const how of ['end', 'resetAndDestroy'] as const) {
    const bench = await startRelay(t, [{}], { idleMs: LONG_MS });
    await send(bench);
    const [session] = bench.servers[0]?.sessions ?? [];
    if (session === undefined) return t.fail();
    session.socket[how]();
    await gone(session.socket);
    t.is((await send(bench)).code, 250);
    t.is(bench.servers[0]?.sessions.length, 2);
  }
});

test('one that turns out dead at MAIL is replaced once', async (t) => {
  for (const move of [{ kind: 'close' }, { kind: 'reset' }, { reply: '421 4.4.2 Timeout', close: true }] as const) {
    const bench = await startRelay(
      t,
      [
        {
          on: {
            MAIL: ({ session }) => (session.number === 0 && session.lines.includes('(message)') ? move : '250 Ok'),
          },
        },
      ],
      {
        idleMs: LONG_MS,
      },
    );
    await send(bench);
    t.is((await send(bench)).code, 250);
    t.is(bench.servers[0]?.sessions.length, 2);
    t.is(bench.servers[0]?.messages.length, 2);
  }
});

test('one that is dead twice is a server that cannot be had', async (t) => {
  const on = {
    MAIL: ({ session }: { session: { lines: readonly string[]; number: number } }) =>
      session.number === 0 && !session.lines.includes('(message)') ? '250 Ok' : ({ kind: 'close' } as const),
  };
  const bench = await startRelay(t, [{ on }], { idleMs: LONG_MS });
  await send(bench);
  t.like(await send(bench), { at: 'DATA', code: 451, enhanced: '4.4.2' });
  t.is(bench.servers[0]?.sessions.length, 2);
});

test('words that nobody asked for end a connection that waits', async (t) => {
  const bench = await startRelay(t, [{}], { idleMs: LONG_MS });
  await send(bench);
  const [session] = bench.servers[0]?.sessions ?? [];
  session?.socket.write('250 2.0.0 By the way\r\n');
  await until(() => bench.relay.connections() === 0);
  t.is((await send(bench)).code, 250);
  t.is(bench.servers[0]?.sessions.length, 2);
});

test('after an abort nothing is used again', async (t) => {
  const bench = await startRelay(t, [{}], { idleMs: LONG_MS });
  const opened = await bench.relay.open(envelopeTo(), bench.route);
  if (opened.kind !== 'open') return t.fail();
  await opened.delivery.write(Buffer.from(MESSAGE));
  opened.delivery.abort();
  await allClosed(bench);
  t.is((await send(bench)).code, 250);
  t.is(bench.servers[0]?.sessions.length, 2);
  t.is(bench.servers[0]?.messages.length, 1);
});

test('a relay forgets a connection that broke under its message, and is closed, where another relay had opened it', async (t) => {
  const connections = createConnections({ now: () => performance.now(), idleMs: LONG_MS });
  let messages = 0;
  const closeAtSecond: Handler = () => (++messages === 2 ? { kind: 'close' } : null);
  const bench = await startRelay(t, [{ on: { DATA: closeAtSecond } }], { relay: { connections } });
  const other = createRelay({
    settings: bench.settings,
    hostname: HOSTNAME,
    now: () => performance.now(),
    holds: bench.holds,
    connections,
    learned: () => {},
  });
  t.is((await send(bench)).code, 250);
  t.is((await send({ relay: other, route: bench.route })).code, 451);
  t.is(bench.servers[0]?.sessions.length, 1);
  await until(() => connections.open() === 0);
  // Waits without end for one that is closed already, if it has not forgotten it.
  await t.notThrowsAsync(other.close());
});

test('to one server there are never more connections than allowed, over all relays, and every message has its turn', async (t) => {
  const connections = createConnections({ now: () => performance.now(), idleMs: LONG_MS });
  const settings = { maxConnectionsPerServer: 3 };
  const bench = await startRelay(t, [{}], { settings, relay: { connections } });
  const other = createRelay({
    settings: { ...bench.settings, ...settings },
    hostname: HOSTNAME,
    now: () => performance.now(),
    holds: bench.holds,
    connections,
    learned: () => {},
  });
  t.teardown(async () => {
    await other.close();
    await connections.close();
  });
  const messages = Array.from({ length: 60 }, (_, i) =>
    send({ relay: i % 2 === 0 ? bench.relay : other, route: bench.route }),
  );
  const heard = await Promise.all(messages);
  t.true(heard.every(({ code }) => code === 250));
  t.is(bench.servers[0]?.messages.length, 60);
  t.is(bench.servers[0]?.mostOpen(), 3);
});

test('those who wait are served in turn', async (t) => {
  const bench = await startRelay(t, [{}], { settings: { maxConnectionsPerServer: 1 }, idleMs: LONG_MS });
  const order: number[] = [];
  await Promise.all(
    [0, 1, 2, 3, 4].map(async (i) => {
      await send(bench, { ...envelopeTo(), sender: `s${i}@y.example` });
      order.push(i);
    }),
  );
  t.deepEqual(order, [0, 1, 2, 3, 4]);
  t.deepEqual(
    bench.servers[0]?.messages.map(({ mailFrom }) => mailFrom),
    [0, 1, 2, 3, 4].map((i) => `s${i}@y.example`),
  );
});

test('more than may wait are sent away at once', async (t) => {
  const bench = await startRelay(t, [{ on: { MAIL: () => ({ kind: 'silent' }) } }], {
    settings: { maxConnectionsPerServer: 1 },
  });
  const waiting = Array.from({ length: 21 }, () => bench.relay.open(envelopeTo(), bench.route));
  const refused = await bench.relay.open(envelopeTo(), bench.route);
  t.like(refused, { kind: 'refused', reply: { code: 451, enhanced: '4.3.2' } });
  await bench.relay.close();
  await Promise.all(waiting);
});

test('a sender that leaves does not wait any more', async (t) => {
  const bench = await startRelay(t, [{}], { settings: { maxConnectionsPerServer: 1 } });
  const opened = await bench.relay.open(envelopeTo(), bench.route);
  if (opened.kind !== 'open') return t.fail();
  const leaving = new AbortController();
  const waiting = bench.relay.open(envelopeTo(), bench.route, leaving.signal);
  leaving.abort();
  t.like(await waiting, { kind: 'refused' });
  await opened.delivery.finish();
  await allClosed(bench);
  t.is(bench.servers[0]?.sessions.length, 1);
});

test('a connection to an address that the server has no more is not used', async (t) => {
  const bench = await startRelay(t, [{ host: '0.0.0.0' }], {
    settings: { maxConnectionsPerServer: 1 },
    idleMs: LONG_MS,
  });
  t.is((await send(bench)).code, 250);
  const [server] = bench.route.tiers[0] ?? [];
  if (server?.kind !== 'tcp') return t.fail();
  const moved = { ...server, targets: [{ name: 'mx.internal', address: '127.0.0.9' }] };
  t.is((await send({ ...bench, route: { ...bench.route, tiers: [[moved]] } })).code, 250);
  t.is(bench.servers[0]?.sessions.length, 2);
  t.is(bench.servers[0]?.mostOpen(), 1, 'the limit counts it until it is closed');
});

test('closing says QUIT on the connections that wait, and lets nobody wait any more', async (t) => {
  const connections = createConnections({ now: () => performance.now(), idleMs: LONG_MS });
  const bench = await startRelay(t, [{}], { relay: { connections } });
  await send(bench);
  await bench.relay.close();
  await connections.close();
  await until(() => connections.open() === 0);
  t.is(bench.servers[0]?.sessions[0]?.lines.at(-1), 'QUIT');
  t.is((await send(bench)).code, 451, 'nobody is served any more');
});
