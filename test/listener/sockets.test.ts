import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { openSocket } from '@callahead/listener';
import test, { type ExecutionContext } from 'ava';
import { until } from '../support/until.ts';

async function open(t: ExecutionContext) {
  const socket = await openSocket({ host: '127.0.0.1', port: 0 }, () => {});
  t.teardown(socket.close);
  const port = Number(socket.at.split(':').at(-1));
  const clients: Socket[] = [];
  async function client(): Promise<Socket> {
    const one = connect({ host: '127.0.0.1', port });
    one.on('error', () => {});
    t.teardown(() => one.destroy());
    await once(one, 'connect');
    clients.push(one);
    return one;
  }
  const served: Socket[] = [];
  t.teardown(() => {
    for (const one of served) one.destroy();
  });
  return { socket, client, served };
}

test('clients that come before there is anybody are served by the first who is', async (t) => {
  const { socket, client, served } = await open(t);
  await client();
  await client();
  socket.handTo((one) => void served.push(one));
  await until(() => served.length === 2);
  t.is(served.length, 2);
});

test('from one moment on clients are the next one’s', async (t) => {
  const { socket, client, served } = await open(t);
  const earlier: Socket[] = [];
  socket.handTo((one) => void earlier.push(one));
  await client();
  await until(() => earlier.length === 1);
  socket.handTo((one) => void served.push(one));
  await client();
  await until(() => served.length === 1);
  t.is(earlier.length, 1);
  earlier[0]?.destroy();
});

test('a socket that closes cuts off who waits, and nobody who is served', async (t) => {
  const waiting = await open(t);
  const left = await waiting.client();
  const gone = once(left, 'close');
  waiting.socket.close();
  await gone;
  const busy = await open(t);
  busy.socket.handTo((one) => void busy.served.push(one));
  const stays = await busy.client();
  await until(() => busy.served.length === 1);
  busy.socket.close();
  busy.served[0]?.write('hello');
  t.is(String((await once(stays, 'data'))[0]), 'hello');
});
