import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { dial, type LocalInterface, type Place, placesOf } from '@callahead/core';
import test, { type ExecutionContext } from 'ava';
import { temporaryFolder } from '../support/debian.ts';

const AUTO: LocalInterface = { kind: 'auto' };

/** A server that tells from where it was called. */
async function listen(t: ExecutionContext, at: { host: string; port: 0 } | { path: string }) {
  const server: Server = createServer((socket) => socket.end(`${socket.remoteAddress}`));
  server.listen(at);
  await once(server, 'listening');
  t.teardown(() => server.close());
  const bound = server.address();
  return { port: bound === null || typeof bound === 'string' ? 0 : bound.port };
}

async function heard(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** What the server saw, or why there was no connection. */
async function callerSeen(place: Place): Promise<string> {
  const dialed = await dial(place, 2_000);
  return dialed.kind === 'open' ? heard(dialed.socket) : `${dialed.cause}: ${dialed.detail}`;
}

test('a local address is what the server sees', async (t) => {
  const { port } = await listen(t, { host: '127.0.0.1', port: 0 });
  const to = { kind: 'tcp', address: '127.0.0.1', port } as const;
  t.is(await callerSeen({ ...to, from: AUTO }), '127.0.0.1');
  t.is(await callerSeen({ ...to, from: { kind: 'address', address: '127.0.0.2' } }), '127.0.0.2');
  t.is(await callerSeen({ ...to, from: { kind: 'name', name: 'lo' } }), '127.0.0.1');
});

test('an interface serves both families', async (t) => {
  const { port } = await listen(t, { host: '::1', port: 0 });
  t.is(await callerSeen({ kind: 'tcp', address: '::1', port, from: { kind: 'name', name: 'lo' } }), '::1');
});

test('a local address that is not there says so, and is no fault of the server', async (t) => {
  const { port } = await listen(t, { host: '127.0.0.1', port: 0 });
  const to = { kind: 'tcp', address: '127.0.0.1', port } as const;
  t.is(
    await callerSeen({ ...to, from: { kind: 'address', address: '203.0.113.1' } }),
    'no-route: cannot connect from 203.0.113.1: EADDRNOTAVAIL',
  );
  t.is(
    await callerSeen({ ...to, from: { kind: 'name', name: 'no-such-link' } }),
    'no-route: there is no interface no-such-link',
  );
  t.is(
    await callerSeen({ ...to, from: { kind: 'address', address: '::1' } }),
    'no-route: ::1 is of another address family',
  );
});

test('a unix socket is dialled by its path', async (t) => {
  const folder = await temporaryFolder('dial');
  t.teardown(folder.remove);
  const path = join(folder.path, 'socket');
  await listen(t, { path });
  t.is(await callerSeen({ kind: 'unix', path }), 'undefined');
  t.is(await callerSeen({ kind: 'unix', path: `${path}-gone` }), 'connect: ENOENT');
});

test('a server is to be reached at each of its addresses, in their order', (t) => {
  const targets = ['192.0.2.1', '2001:db8::1'].map((address) => ({ name: 'mx.example', address }));
  t.deepEqual(placesOf({ kind: 'tcp', host: 'mx.example', port: 2525, targets }, AUTO), [
    { kind: 'tcp', address: '192.0.2.1', port: 2525, from: AUTO },
    { kind: 'tcp', address: '2001:db8::1', port: 2525, from: AUTO },
  ]);
  t.deepEqual(placesOf({ kind: 'unix', path: '/run/lmtp' }, AUTO), [{ kind: 'unix', path: '/run/lmtp' }]);
});
