import type { Answer, ToWorker } from '@callahead/core';
import test from 'ava';
import { createQuestions } from '../../packages/workers/src/questions.ts';

const flushed = (entries: number): Answer => ({ kind: 'flushed', entries });

function setUp(open: readonly boolean[]) {
  const sent: [number, ToWorker][] = [];
  const timers: (() => void)[] = [];
  const questions = createQuestions({
    threads: open.length,
    now: () => 0,
    at: (_, run) => timers.push(run),
    send(thread, message) {
      if (open[thread] === true) sent.push([thread, message]);
      return open[thread] === true;
    },
  });
  return { questions, sent, timers };
}

test('a question goes to every thread there is, and has the answers of all', async (t) => {
  const { questions, sent } = setUp([true, false, true]);
  const answers = questions.put({ kind: 'flush', what: { kind: 'all' } });
  t.deepEqual(
    sent.map(([thread]) => thread),
    [0, 2],
  );
  questions.answered(2, 0, flushed(2));
  questions.answered(2, 0, flushed(9));
  questions.answered(0, 0, flushed(1));
  t.deepEqual(await answers, [flushed(2), flushed(1)]);
});

test('without threads the answer is empty', async (t) => {
  t.deepEqual(await setUp([false]).questions.put({ kind: 'report' }), []);
});

test('a thread that dies has nothing to say', async (t) => {
  const { questions } = setUp([true, true]);
  const answers = questions.put({ kind: 'report' });
  questions.answered(0, 0, flushed(1));
  questions.lost(1);
  t.deepEqual(await answers, [flushed(1)]);
});

test('a thread that does not answer in time is left out', async (t) => {
  const { questions, timers } = setUp([true, true]);
  const answers = questions.put({ kind: 'report' });
  questions.answered(1, 0, flushed(1));
  for (const run of timers) run();
  t.deepEqual(await answers, [flushed(1)]);
});
