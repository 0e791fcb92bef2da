import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import { packToWorker, type ToMain, unpackToMain } from '@callahead/core';
import test from 'ava';
import { serve } from '../../packages/workers/src/work.ts';

test('a thread that is busy with one packet after the other shows that it is alive', async (t) => {
  const { port1: main, port2: port } = new MessageChannel();
  let nowMs = 0;
  const host = {
    receive: () => {
      nowMs += 100;
    },
    counts: () => [],
    close: () => {},
  };
  const heard: ToMain[] = [];
  main.on('message', (packet: Uint8Array) => heard.push(...unpackToMain(packet)));
  // Its timer rings long after the test.
  const served = serve(
    { port, threads: 1, beatMs: 250_000 },
    () => host,
    () => nowMs * 1_000,
  );
  for (let i = 0; i < 6; i++) main.postMessage(packToWorker([{ kind: 'report', question: i }]));
  const beats = (): ToMain[] => heard.filter(({ kind }) => kind === 'beat');
  while (beats().length < 3) await once(main, 'message');
  t.deepEqual(beats(), [{ kind: 'beat' }, { kind: 'beat' }, { kind: 'beat' }]);
  main.close();
  await served;
});
