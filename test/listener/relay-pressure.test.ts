import type { Socket } from 'node:net';
import { dial } from '@callahead/core';
import test from 'ava';
import { type Client, openSession } from '../support/dialogue.ts';
import { openFrontDoor } from '../support/front-door.ts';
import { serverAt, startRelay } from '../support/relays.ts';
import { startSlowServer } from '../support/slow-server.ts';
import { until } from '../support/until.ts';

const SENDERS = 8;
const MESSAGE_OCTETS = 30_000_000;
const LINE = Buffer.from(`${'x'.repeat(998)}\r\n`);
const CHUNK = Buffer.concat(Array.from({ length: 1_000 }, () => LINE));
/** What one message may take in the gateway: the mark at which a socket asks to wait, the chunk that went over it, and as much again for what is being read. */
const BUFFERED_OCTETS = 4 * 65_536;

test('a next hop that does not read holds its senders up by TCP, and nothing of their messages piles up', async (t) => {
  const sink = await startSlowServer();
  t.teardown(sink.stop);
  const outgoing: Socket[] = [];
  const watching: typeof dial = async (place, timeoutMs) => {
    const dialed = await dial(place, timeoutMs);
    if (dialed.kind === 'open') outgoing.push(dialed.socket);
    return dialed;
  };
  const bench = await startRelay(t, [], {
    settings: { commandTimeoutMs: 60_000, endOfDataTimeoutMs: 60_000 },
    relay: { dial: watching },
  });
  const route = { ...bench.route, tiers: [[serverAt(sink.port)]] };
  const { port } = await openFrontDoor(t, {
    relay: bench.relay,
    locate: ({ recipient }) => ({ kind: 'ask', recipient, route }),
    limits: { messageSize: 50_000_000 },
  });
  const commands = ['EHLO client.example', 'MAIL FROM:<s@client.example>', 'RCPT TO:<known@example.com>', 'DATA'];
  const clients = await Promise.all(Array.from({ length: SENDERS }, () => openSession(t, port, ...commands)));
  t.is(sink.begun(), SENDERS);

  const sent = clients.map(sendBig);
  let most = 0;
  const watch = setInterval(() => {
    most = Math.max(most, ...outgoing.map((socket) => socket.writableLength));
  }, 1);
  // Nothing goes on any more once what each socket has sent stays the same.
  await standsStill(() => clients.reduce((sum, { socket }) => sum + socket.bytesWritten - socket.writableLength, 0));
  t.true(
    clients.every(({ socket }) => socket.writableNeedDrain),
    'every sender is held up',
  );
  t.true(most > 0 && most <= BUFFERED_OCTETS, `${most} octets`);

  sink.wake();
  await Promise.all(sent);
  for (const client of clients) t.regex((await client.line()) ?? '', /^250 2\.0\.0/);
  clearInterval(watch);
  t.true(most <= BUFFERED_OCTETS, `${most} octets`);
  t.is(sink.messages.length, SENDERS);
  t.true(sink.messages.every((octets) => octets > MESSAGE_OCTETS && octets < MESSAGE_OCTETS + 1_000));
});

async function sendBig({ socket }: Client): Promise<void> {
  for (let octets = 0; octets < MESSAGE_OCTETS; octets += CHUNK.length) {
    if (!socket.write(CHUNK)) await new Promise<void>((resolve) => socket.once('drain', resolve));
  }
  socket.write('.\r\n');
}

/** Resolves once a figure has been the same for a while. */
async function standsStill(figure: () => number): Promise<void> {
  let last = -1;
  let times = 0;
  await until(() => {
    const latest = figure();
    times = latest === last ? times + 1 : 0;
    last = latest;
    return times > 100;
  });
}
