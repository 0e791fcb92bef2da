import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { createCounting } from '../../packages/admin/src/counting.ts';
import { createReadings } from '../../packages/admin/src/readings.ts';
import { createRecent, type RecipientEvent } from '../../packages/admin/src/recent.ts';
import { createStreams } from '../../packages/admin/src/streams.ts';
import { recipientEvent } from '../support/admin.ts';
import { until } from '../support/until.ts';

/** Streams over a real socket; `full` counts the clients that there was no room for. */
async function setUp(t: ExecutionContext, snapshot: () => Promise<object>) {
  const recent = createRecent(() => 0);
  const counting = createCounting(() => 0);
  const readings = createReadings(0, () => 0);
  const streams = createStreams({ snapshot, recent, readings });
  const responses: ServerResponse[] = [];
  let refused = 0;
  const server = createServer((_, response) => {
    responses.push(response);
    if (!streams.full()) return streams.open(response);
    refused++;
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  t.teardown(() => {
    streams.close();
    server.closeAllConnections();
    server.close();
  });

  async function connect(): Promise<IncomingMessage> {
    const [response] = (await once(request({ port, host: '127.0.0.1' }).end(), 'response')) as [IncomingMessage];
    response.on('error', () => {});
    return response;
  }

  return { recent, read: () => readings.take(counting, []), streams, responses, connect, refused: () => refused };
}

async function readUntil(response: IncomingMessage, wanted: RegExp): Promise<string> {
  let text = '';
  for await (const chunk of response) {
    text += chunk;
    if (wanted.test(text)) break;
  }
  return text;
}

test('a snapshot comes at once, and verdicts as they are known', async (t) => {
  const { recent, connect } = await setUp(t, async () => ({ state: 'ready' }));
  recent.add(recipientEvent({ recipient: 'before@example.com' }) as RecipientEvent);
  const response = await connect();
  response.once('data', () => {
    for (let i = 0; i < 60; i++) recent.add(recipientEvent({ recipient: `user${i}@example.com` }) as RecipientEvent);
  });
  const text = await readUntil(response, /event: verdicts\n.*\n\n/);
  t.true(text.includes('event: snapshot\ndata: {"state":"ready"}\n\n'));
  t.false(text.includes('before@example.com'));
  const { verdicts, skipped } = JSON.parse(/event: verdicts\ndata: (.*)/.exec(text)?.[1] ?? '');
  t.is(verdicts.length, 50);
  t.is(skipped, 10);
  t.is(verdicts.at(-1).recipient, 'user59@example.com');
});

test('what was read before comes first, and what is read later once', async (t) => {
  const { read, connect } = await setUp(t, async () => ({ state: 'ready' }));
  for (let i = 0; i < 3; i++) read();
  const response = await connect();
  response.once('data', read);
  const text = await readUntil(response, /"id":4.*\n\n/);
  t.regex(text, /^: callahead\n\nevent: readings\n/);
  const told = [...text.matchAll(/event: readings\ndata: (.*)/g)].map(([, data = '']) => JSON.parse(data));
  t.deepEqual(
    told.map(({ readings }) => readings.map(({ id }: { id: number }) => id)),
    [[1, 2, 3], [4]],
  );
  t.like(told[1], { startedAt: '1970-01-01T00:00:00.000Z' });
});

test('while a snapshot is under way the gateway is not asked for another, and verdicts go on', async (t) => {
  let asked = 0;
  const { recent, connect } = await setUp(t, () => {
    asked++;
    return new Promise(() => {});
  });
  const response = await connect();
  const tell = (): void => recent.add(recipientEvent() as RecipientEvent);
  tell();
  response.on('data', tell);
  // Nine turns, in which there would be two more.
  await readUntil(response, /(event: verdicts\n.*\n\n){9}/);
  t.is(asked, 1);
});

test('there are at most sixteen streams, and one that ends makes room', async (t) => {
  const { connect, refused } = await setUp(t, async () => ({}));
  const open: IncomingMessage[] = [];
  for (let i = 0; i < 16; i++) open.push(await connect());
  (await connect()).resume();
  await until(() => refused() === 1);
  open[0]?.destroy();
  await until(() => open[0]?.destroyed === true);
  const again = await connect();
  t.regex(await readUntil(again, /snapshot/), /snapshot/);
  t.is(refused(), 1);
});

test('a client that does not read is cut off, and what waits for it is bounded', async (t) => {
  const large = 'x'.repeat(900_000);
  const { connect, responses } = await setUp(t, async () => ({ large }));
  const response = await connect();
  response.pause();
  response.socket.pause();
  const most = { octets: 0 };
  await until(() => {
    most.octets = Math.max(most.octets, responses[0]?.writableLength ?? 0);
    return responses[0]?.destroyed === true;
  });
  t.true(most.octets < 3_000_000, String(most.octets));
});
