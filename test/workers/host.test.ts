import type { Probe } from '@callahead/core';
import test, { type ExecutionContext } from 'ava';
import { type FakeMain, type FakeMainOptions, routeTo, serverAt, startFakeMain } from '../support/fake-main.ts';
import { type FakeOptions, type FakeServer, startFakeServer } from '../support/fake-server.ts';

type Bench = { server: FakeServer; main: FakeMain };

async function begin(
  t: ExecutionContext,
  serverOptions: FakeOptions,
  settings: Partial<Probe> = {},
  mainOptions: FakeMainOptions = {},
): Promise<Bench> {
  const server = await startFakeServer(serverOptions);
  const main = startFakeMain(mainOptions);
  t.teardown(async () => {
    main.host.close();
    await server.stop();
  });
  main.know(routeTo([[serverAt(server.port)]], settings));
  return { server, main };
}

test('a known recipient is valid and an unknown one is unknown', async (t) => {
  const { main, server } = await begin(t, { users: ['ann@corp.example'] });
  const [ann, bob] = await main.ask(['ann@corp.example', 'bob@corp.example']);
  t.deepEqual(ann, { kind: 'valid', source: 'server', server: `mx.example:${server.port}` });
  t.is(bob?.kind, 'unknown');
  t.deepEqual(bob?.kind === 'unknown' && bob.reply, { code: 550, enhanced: '5.1.1', text: 'No such user' });
});
