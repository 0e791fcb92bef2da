import { join } from 'node:path';
import type { Interfaces, Probe, Server } from '@callahead/core';
import { dial, openConversation } from '@callahead/core';
import test, { type ExecutionContext } from 'ava';
import { createConnect } from '../../packages/workers/src/connect.ts';
import { createHabits } from '../../packages/workers/src/habits.ts';
import type { NotOpen } from '../../packages/workers/src/not-open.ts';
import { type Connect, type Open, openServer } from '../../packages/workers/src/opening.ts';
import { temporaryFolder } from '../support/debian.ts';
import { probeOf, serverAt } from '../support/fake-main.ts';
import { type FakeOptions, type FakeServer, startFakeServer } from '../support/fake-server.ts';

const now = (): number => performance.now();

async function start(t: ExecutionContext, options: FakeOptions = {}): Promise<FakeServer> {
  const server = await startFakeServer(options);
  t.teardown(server.stop);
  return server;
}

async function open(
  server: Server,
  settings: Partial<Probe> = {},
  connect: Connect = createConnect(now),
): Promise<Open | NotOpen> {
  const habits = createHabits(now)('corp server');
  const probe = probeOf(settings);
  const opened = await openServer({ server, probe, habits, deadlineMs: now() + 5_000, connect, now });
  if (opened.kind === 'open') await opened.conversation.quit(1_000);
  else await opened.gone;
  return opened;
}

/** Connects as a machine with these interfaces would. */
function connectFrom(interfaces: Interfaces): Connect {
  return async (to, { timeoutMs, commandTimeoutMs }) => {
    const dialed = await dial(to, timeoutMs, () => interfaces);
    if (dialed.kind === 'failed') return dialed;
    return { kind: 'open', conversation: openConversation(dialed.socket, { now, commandTimeoutMs }) };
  };
}

test('an LMTP server is greeted with LHLO', async (t) => {
  const server = await start(t, { protocol: 'lmtp' });
  const opened = await open(serverAt(server.port), { protocol: 'lmtp' });
  t.like(opened, { kind: 'open', hello: 'ehlo', capabilities: { pipelining: true, smtpUtf8: true } });
  t.deepEqual(server.sessions[0]?.lines, ['LHLO gateway.example', 'QUIT']);
});

test('LHLO refused: no HELO, for LMTP has none', async (t) => {
  const server = await start(t);
  t.like(await open(serverAt(server.port), { protocol: 'lmtp' }), { kind: 'failed', cause: 'policy' });
  t.deepEqual(server.sessions[0]?.lines, ['LHLO gateway.example', 'QUIT']);
});

test('a server that greets with our own name is us, unless it speaks LMTP', async (t) => {
  const smtp = await start(t, { name: 'gateway.example' });
  t.like(await open(serverAt(smtp.port)), { kind: 'failed', cause: 'loop' });
  const lmtp = await start(t, { name: 'gateway.example', protocol: 'lmtp' });
  t.like(await open(serverAt(lmtp.port), { protocol: 'lmtp' }), { kind: 'open' });
});

test('a unix socket is connected to, and one that is not there is no connection', async (t) => {
  const folder = await temporaryFolder('opening');
  t.teardown(folder.remove);
  const path = join(folder.path, 'lmtp');
  await start(t, { protocol: 'lmtp', path });
  t.like(await open({ kind: 'unix', path }, { protocol: 'lmtp' }), { kind: 'open' });
  t.like(await open({ kind: 'unix', path: `${path}.gone` }, { protocol: 'lmtp' }), {
    kind: 'failed',
    cause: 'connect',
    during: 'dialing',
    detail: `unix:${path}.gone: ENOENT`,
  });
});

test('the server sees the local address of the profile', async (t) => {
  const server = await start(t);
  await open(serverAt(server.port), { interface: { kind: 'address', address: '127.0.0.2' } });
  t.is(server.callers[0], '127.0.0.2');
});

test("an address that the interface has none of the family for is skipped, and the server's next one tried", async (t) => {
  const server = await start(t);
  const to = serverAt(server.port, 'mx.example', ['::1', '127.0.0.1']);
  const connect = connectFrom({ eth0: ['127.0.0.3'] });
  const opened = await open(to, { interface: { kind: 'name', name: 'eth0' } }, connect);
  t.like(opened, { kind: 'open' });
  t.is(server.callers[0], '127.0.0.3');
});

test('no address left is no route, and worth no second try', async (t) => {
  const server = await start(t);
  const opened = await open(serverAt(server.port), { interface: { kind: 'name', name: 'none-such' } });
  t.like(opened, {
    kind: 'failed',
    cause: 'no-route',
    during: 'conversation',
    detail: '127.0.0.1: there is no interface none-such',
  });
  t.is(server.sessions.length, 0);
});

test('an address that is skipped does not hide what another one said', async (t) => {
  const server = await start(t, { on: { connect: () => '450 4.3.2 Later' } });
  const to = serverAt(server.port, 'mx.example', ['127.0.0.1', '::1']);
  const local = { kind: 'address', address: '127.0.0.2' } as const;
  t.like(await open(to, { interface: local }), { kind: 'temporary', reply: { code: 450 } });
});
