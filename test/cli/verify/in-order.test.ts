import test from 'ava';
import { type Bounds, inOrder } from '../../../packages/cli/src/verify/in-order.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
async function turns(): Promise<void> {
  for (let i = 0; i < 10; i++) await turn();
}

/** Questions 1, 2, 3 … and who answers them when the test says so. */
function start(total: number, bounds: Bounds, stopped = new AbortController()) {
  const waiting = new Map<number, (answer: number) => void>();
  const answered: number[] = [];
  let taken = 0;
  async function* questions(): AsyncGenerator<number> {
    for (let i = 1; i <= total; i++) {
      taken = i;
      yield i;
    }
  }
  const ask = (question: number): Promise<number> => new Promise((resolve) => waiting.set(question, resolve));
  const ended = (async () => {
    for await (const answers of inOrder(questions(), ask, bounds, stopped.signal)) answered.push(...answers);
  })();
  return {
    answered,
    ended,
    waiting,
    taken: () => taken,
    async answer(...numbers: number[]) {
      await turns();
      for (const number of numbers) {
        waiting.get(number)?.(number);
        waiting.delete(number);
      }
      await turns();
    },
  };
}

test('answers come in the order of the questions, however they are found', async (t) => {
  const { answer, answered, ended } = start(3, { atOnce: 3, ahead: 3 });
  await answer(3, 2);
  t.deepEqual(answered, []);
  await answer(1);
  t.deepEqual(answered, [1, 2, 3]);
  await ended;
});

test('no more are asked at once than may be', async (t) => {
  const { answer, waiting, taken } = start(100, { atOnce: 2, ahead: 100 });
  await turns();
  t.deepEqual([...waiting.keys()], [1, 2]);
  await answer(2);
  t.deepEqual([...waiting.keys()], [1, 3]);
  t.is(taken(), 3);
});

test('a question that is not answered holds up the others only where too many wait for it', async (t) => {
  const { answer, waiting, answered } = start(100, { atOnce: 2, ahead: 4 });
  await answer(2);
  await answer(3);
  await answer(4);
  t.deepEqual([...waiting.keys()], [1]);
  await answer(1);
  t.deepEqual(answered, [1, 2, 3, 4]);
  t.deepEqual([...waiting.keys()], [5, 6]);
});

test('stopped, it yields what is due and waits for nobody', async (t) => {
  const stopped = new AbortController();
  const { answer, answered, ended } = start(100, { atOnce: 3, ahead: 100 }, stopped);
  await answer(1, 3);
  stopped.abort();
  await ended;
  t.deepEqual(answered, [1]);
});

test('questions that break off are told of after the answers that are due', async (t) => {
  async function* questions(): AsyncGenerator<number> {
    yield 1;
    throw new Error('unreadable');
  }
  const answered: number[] = [];
  const { signal } = new AbortController();
  const running = (async () => {
    for await (const answers of inOrder(questions(), (is) => turn().then(() => is), { atOnce: 9, ahead: 9 }, signal))
      answered.push(...answers);
  })();
  await t.throwsAsync(running, { message: 'unreadable' });
  t.deepEqual(answered, [1]);
});

test('a question that cannot even be asked is told of, and nobody waits for its answer', async (t) => {
  async function* questions(): AsyncGenerator<number> {
    yield* [1, 2];
  }
  const answered: number[] = [];
  const ask = (question: number): number => {
    if (question === 2) throw new Error('no such question');
    return question;
  };
  const running = (async () => {
    for await (const answers of inOrder(questions(), ask, { atOnce: 9, ahead: 9 }, new AbortController().signal))
      answered.push(...answers);
  })();
  await t.throwsAsync(running, { message: 'no such question' });
  t.deepEqual(answered, [1]);
});

test('whoever does not take the answers gets no more of them than may wait', async (t) => {
  let taken = 0;
  async function* questions(): AsyncGenerator<number> {
    for (;;) yield taken++;
  }
  const stopped = new AbortController();
  const answers = inOrder(questions(), (is) => turn().then(() => is), { atOnce: 2, ahead: 4 }, stopped.signal);
  const { value } = await answers.next();
  await turns();
  const before = taken;
  await turns();
  t.is(taken, before);
  t.true(before <= (value as readonly number[]).length + 4);
  stopped.abort();
  await answers.return(undefined);
});

test('answers that are there at once need no promise', async (t) => {
  async function* questions(): AsyncGenerator<number> {
    for (let i = 0; i < 1_000; i++) yield i;
  }
  const { signal } = new AbortController();
  const answers: (readonly number[])[] = [];
  for await (const due of inOrder(questions(), (is) => is, { atOnce: 1, ahead: 10 }, signal)) answers.push(due);
  t.is(answers.flat().length, 1_000);
  t.true(Math.max(...answers.map(({ length }) => length)) <= 10);
});
