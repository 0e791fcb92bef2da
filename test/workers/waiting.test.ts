import test from 'ava';
import { createPace } from '../../packages/workers/src/pace.ts';
import { type Query, startQuery } from '../../packages/workers/src/query.ts';
import { createWaiting } from '../../packages/workers/src/waiting.ts';

function setUp() {
  let nowMs = 1_000;
  const late: Query[] = [];
  const pace = createPace(() => nowMs);
  const waiting = createWaiting({ now: () => nowMs, pace, late: (query) => late.push(query) });
  let count = 0;

  function query(budgetMs: number): Query {
    const deadlineMs = nowMs + budgetMs;
    const key = `user${count++}@x.example`;
    const started = startQuery({ key, recipient: key, deadlineMs, waiter: null, generation: 0, ref: '', nowMs });
    started.at = { kind: 'server', attempt: { server: 'mx', startedMs: nowMs, shares: 1 } };
    return started;
  }

  /** Half a second in which somebody waits all the time and so many are answered. */
  function pass(answers: number): void {
    for (let i = 0; i < answers; i++) pace.answered();
    nowMs += 500;
    pace.queued(waiting.any());
  }

  function enter(count: number, budgetMs: number): number {
    let entered = 0;
    for (let i = 0; i < count; i++) if (waiting.enter(query(budgetMs))) entered++;
    pace.queued(waiting.any());
    return entered;
  }

  function passMs(ms: number): void {
    nowMs += ms;
  }

  return { pace, waiting, late, enter, pass, passMs };
}

test('of those who come to a server that answers a hundred a second as many are taken as it can answer in half of their time', (t) => {
  const { enter, pass, waiting } = setUp();
  t.is(enter(10, 4_000), 10);
  pass(50);
  t.is(enter(300, 4_000), 191);
  waiting.next(100);
  t.is(enter(300, 4_000), 100);
  t.is(enter(1, 8_000), 1);
});

test('a burst says nothing about how many a server answers', (t) => {
  const { enter, waiting, pace, passMs } = setUp();
  enter(1_000, 1_000);
  waiting.next(1_000);
  pace.answered();
  passMs(400);
  pace.queued(waiting.any());
  t.is(enter(10_000, 1_000), 10_000);
});

test('nobody is turned away from a server that answers nobody: it is silent, not slow', (t) => {
  const { enter, pass } = setUp();
  enter(1_000, 1_000);
  pass(10);
  t.is(enter(1, 1_000), 0);
  pass(0);
  t.is(enter(1, 1_000), 1);
});

test('a server that has become faster is soon believed to be', (t) => {
  const { enter, pass } = setUp();
  enter(500, 60_000);
  pass(10);
  t.is(enter(1, 2_000), 0);
  for (let i = 0; i < 4; i++) pass(500);
  t.is(enter(1, 2_000), 1);
});

test('whose time would be over before the answer comes is not asked, and the next one is in his place', (t) => {
  const { enter, waiting, pace, late, passMs } = setUp();
  for (let i = 0; i < 20; i++) pace.served(100);
  enter(2, 1_000);
  passMs(950);
  enter(3, 1_000);
  t.is(waiting.next(2).length, 2);
  t.is(late.length, 2);
  t.is(waiting.any(), 1);
});

test('who has most of his time left is asked, however long a session takes', (t) => {
  const { enter, waiting, pace, late, passMs } = setUp();
  for (let i = 0; i < 20; i++) pace.served(60_000);
  enter(1, 1_000);
  passMs(400);
  t.is(waiting.next(1).length, 1);
  t.deepEqual(late, []);
});
