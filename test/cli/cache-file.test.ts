import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { temporaryFolder } from '../support/debian.ts';
import { openSession } from '../support/dialogue.ts';
import { type FakeServer, startFakeServer } from '../support/fake-server.ts';
import { type RunningGateway, startGateway } from '../support/gateway.ts';
import { before } from '../support/gateway-settings.ts';

type Place = Readonly<{ server: FakeServer; path: string; start(more?: object): Promise<RunningGateway> }>;

/** A server, and gateways before it that keep their cache in one file. */
async function place(t: ExecutionContext): Promise<Place> {
  const server = await startFakeServer({ users: ['ann@example.com'] });
  const folder = await temporaryFolder('kept');
  t.teardown(async () => {
    await server.stop();
    await folder.remove();
  });
  const path = join(folder.path, 'cache.bin');
  return {
    server,
    path,
    async start(more = {}) {
      const gateway = await startGateway({ ...before(server.at), cacheFile: path, ...more });
      t.teardown(gateway.kill);
      return gateway;
    },
  };
}

/** The first words of the replies. */
async function ask(t: ExecutionContext, gateway: RunningGateway, ...recipients: readonly string[]): Promise<string[]> {
  const mail = 'MAIL FROM:<sender@client.example>';
  const client = await openSession(t, gateway.port('inbound'), 'EHLO client.example', mail);
  const replies: string[] = [];
  for (const recipient of recipients) {
    client.send(`RCPT TO:<${recipient}>\r\n`);
    replies.push(((await client.line()) ?? '').slice(0, 3));
  }
  client.send('QUIT\r\n');
  await client.line();
  return replies;
}

const BOTH = ['ann@example.com', 'bob@example.com'];

test('verdicts outlive a restart: nobody is asked again, and the file is private', async (t) => {
  const { server, start } = await place(t);
  const first = await start();
  t.deepEqual(await ask(t, first, ...BOTH), ['250', '550']);
  await first.stop();
  t.like(first.log.find(({ event }) => event === 'cache.saved') ?? {}, { entries: 2 });
  const asked = server.asked.length;
  const second = await start();
  t.deepEqual(await ask(t, second, ...BOTH, 'eve@example.com'), ['250', '550', '550']);
  t.is(server.asked.length, asked + 1);
  await second.stop();
  const third = await start();
  t.truthy(third.log.find(({ event }) => event === 'cache.loaded'));
  // Nobody asks this time, and all of it is kept.
  await third.stop();
  t.like(third.log.find(({ event }) => event === 'cache.saved') ?? {}, { entries: 3 });
});

test('a damaged file is an empty cache and a warning, and is replaced', async (t) => {
  const { server, path, start } = await place(t);
  writeFileSync(path, 'callahead cache 1\nand something else');
  const gateway = await start();
  t.deepEqual(await ask(t, gateway, ...BOTH), ['250', '550']);
  t.true(server.asked.length >= 2);
  const warning = gateway.log.find(({ event }) => event === 'cache.damaged');
  t.like(warning ?? {}, { level: 40, file: path });
  await gateway.stop();
  t.true(readFileSync(path).length > 60);
});

test('a kill keeps what was saved before', async (t) => {
  const { server, start } = await place(t);
  const first = await start();
  await ask(t, first, ...BOTH);
  await first.stop();
  const second = await start();
  await ask(t, second, 'eve@example.com');
  second.signal('SIGKILL');
  await second.ended;
  const asked = server.asked.length;
  const third = await start();
  t.deepEqual(await ask(t, third, ...BOTH), ['250', '550']);
  t.is(server.asked.length, asked);
});
