import type { MessagePort } from 'node:worker_threads';
import { unpackToMain } from '@callahead/core';
import anyTest, { type ExecutionContext } from 'ava';
import { createThreads, type ThreadsOptions } from '../../packages/workers/src/threads.ts';

const test = anyTest.serial;

/** Time passes `speed` times as fast for what the supervisor waits for. */
function start(t: ExecutionContext, file: string, options: Partial<ThreadsOptions> = {}, speed = 1) {
  const timers = new Set<NodeJS.Timeout>();
  const threads = createThreads({
    count: 1,
    file: new URL(file, import.meta.url),
    now: () => performance.now(),
    at(deadlineMs, run) {
      const timer = setTimeout(
        () => {
          timers.delete(timer);
          run();
        },
        Math.max(0, deadlineMs - performance.now()) / speed,
      );
      timers.add(timer);
    },
    onUp: () => {},
    onDown: () => {},
    onFatal: (error) => t.fail(error.message),
    ...options,
  });
  t.teardown(async () => {
    await threads.close();
    for (const timer of timers) clearTimeout(timer);
  });
  return threads;
}

test('a thread is up once it has spoken, and beats from then on', async (t) => {
  const beats = Promise.withResolvers<string[]>();
  const kinds: string[] = [];
  start(t, '../support/fake-thread.ts', {
    onUp(thread, port) {
      t.is(thread, 0);
      port.on('message', (packet: Uint8Array) => {
        kinds.push(...unpackToMain(packet).map(({ kind }) => kind));
        if (kinds.length >= 2) beats.resolve(kinds);
      });
    },
  });
  t.deepEqual((await beats.promise).slice(0, 2), ['beat', 'beat']);
});

test('performance.now has one origin over the threads', async (t) => {
  const up = Promise.withResolvers<MessagePort>();
  start(t, '../support/clock-thread.ts', { onUp: (_, port) => up.resolve(port) });
  const port = await up.promise;
  for (let round = 0; round < 5; round++) {
    const beforeMs = performance.now();
    const answer = new Promise<number>((resolve) => {
      port.on('message', (message: unknown) => {
        if (typeof message === 'number') resolve(message);
      });
    });
    port.postMessage('now');
    const theirsMs = await answer;
    t.true(beforeMs <= theirsMs && theirsMs <= performance.now(), `${beforeMs} ${theirsMs} ${performance.now()}`);
  }
});

test('a thread that cannot be started is given up after ten more tries', async (t) => {
  const fatal = Promise.withResolvers<Error>();
  const reasons: string[] = [];
  const onDown = (_thread: number, reason: string): void => void reasons.push(reason);
  start(t, './no-such-thread.ts', { onDown, onFatal: fatal.resolve }, 20);
  t.regex((await fatal.promise).message, /died 11 times in a row.*no-such-thread/);
  t.is(reasons.length, 11);
});

test('threads that are closed stay closed', async (t) => {
  const up = Promise.withResolvers<void>();
  const downs: string[] = [];
  const threads = start(t, '../support/fake-thread.ts', {
    onUp: () => up.resolve(),
    onDown: (_, reason) => downs.push(reason),
  });
  await up.promise;
  await threads.close();
  await threads.close();
  t.deepEqual(downs, []);
});
