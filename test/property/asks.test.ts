import { mock } from 'node:test';
import type { Verdict } from '@callahead/core';
import anyTest from 'ava';
import fc from 'fast-check';
import { overload } from '../../packages/workers/src/ask.ts';
import { createAsks, type Pending } from '../../packages/workers/src/asks.ts';
import { createDestinations, laneOf } from '../../packages/workers/src/destinations.ts';
import type { Lane } from '../../packages/workers/src/lane.ts';
import { recipientAt, routeTo } from '../support/routes.ts';

// One at a time: the clock is the process's.
const test = anyTest.serial;

const MOST = 40;
const THREADS = 2;
const DESTINATIONS = 5;
/** What is due runs at most one tick of the wheel late, and the clock goes in steps. */
const STEP_MS = 5;
const LATE_MS = 10 + STEP_MS + 1;
const VALID: Verdict = { kind: 'valid', source: 'server', server: 'mx:25' };

type Move =
  | Readonly<{ kind: 'ask'; at: number; count: number; budgetMs: number }>
  | Readonly<{ kind: 'verdicts'; thread: number; count: number }>
  | Readonly<{ kind: 'die'; thread: number }>
  | Readonly<{ kind: 'pass'; ms: number }>;

const thread = fc.nat(THREADS - 1);
const moves = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('ask' as const),
        at: fc.nat(DESTINATIONS - 1),
        count: fc.integer({ min: 1, max: 30 }),
        budgetMs: fc.integer({ min: 1, max: 3_000 }),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({ kind: fc.constant('verdicts' as const), thread, count: fc.integer({ min: 1, max: 30 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('die' as const), thread }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(1_500) }) },
  ),
  { minLength: 10, maxLength: 80 },
);

/** Threads that answer when they are told to; `answered` has what each waiter was told, and when. */
function setUp() {
  let nowMs = 1_000;
  /** Asked about though their waiters had their verdicts. */
  const wasted: Pending[] = [];
  const asked: Pending[][] = Array.from({ length: THREADS }, () => []);
  const answered: { readonly deadlineMs: number; readonly atMs: number[] }[] = [];
  const destinations = createDestinations({
    threads: THREADS,
    most: DESTINATIONS,
    now: () => nowMs,
    onRoute() {},
    onForget() {},
  });
  const lanes = asked.map((items) => {
    const lane: Pick<Lane<Pending>, 'ask' | 'abandon'> = {
      ask(_, item) {
        if (item.answer === null) wasted.push(item);
        items.push(item);
      },
      abandon: () => items.splice(0),
    };
    return lane as Lane<Pending>;
  });
  const asks = createAsks({ most: MOST, lanes, now: () => nowMs });

  function ask(at: number, budgetMs: number): void {
    const destination = destinations.find(routeTo([25 + at]));
    if (destination === null) throw new Error('there is room for all');
    const deadlineMs = nowMs + budgetMs;
    const mine = { deadlineMs, atMs: [] as number[] };
    const recipient = recipientAt(`user${answered.length}@corp.example`);
    answered.push(mine);
    const answer = asks.put(destination, { recipient, route: destination.route, deadlineMs, recorder: null });
    void answer.then(() => mine.atMs.push(nowMs));
  }

  /** In steps, for an answer is told when its promise is settled. */
  async function pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= STEP_MS) {
      nowMs += Math.min(STEP_MS, left);
      mock.timers.tick(Math.min(STEP_MS, left));
      await Promise.resolve();
    }
  }

  async function play(move: Move): Promise<void> {
    if (move.kind === 'ask') for (let i = 0; i < move.count; i++) ask(move.at, move.budgetMs);
    if (move.kind === 'verdicts') {
      for (const pending of asked[move.thread]?.splice(0, move.count) ?? []) asks.settle(pending, VALID);
    }
    if (move.kind === 'die') for (const pending of asked[move.thread]?.splice(0) ?? []) asks.lost(pending, true);
    if (move.kind === 'pass') await pass(move.ms);
    await new Promise(setImmediate);
  }

  return { asks, asked, wasted, answered, play, now: () => nowMs };
}

test.beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
test.afterEach.always(() => mock.timers.reset());

test('every ask is answered once and by its deadline, whatever threads answer or die; no more are out than there are credits, and nothing is left at the end', async (t) => {
  await fc.assert(
    fc.asyncProperty(moves, async (script) => {
      const { asks, asked, wasted, answered, play, now } = setUp();
      for (const move of script) {
        await play(move);
        t.true(asks.held() <= MOST && asks.waiting() <= MOST);
        t.is(asks.held(), asked.flat().length);
        t.deepEqual(wasted, []);
        for (const { deadlineMs, atMs } of answered) {
          t.true(atMs.length === 1 || (atMs.length === 0 && now() < deadlineMs + LATE_MS));
        }
      }
      for (const items of asked) for (const { attempts } of items) t.true(attempts <= 2);
      asks.end(overload('the end'));
      await new Promise(setImmediate);
      for (const { deadlineMs, atMs } of answered) {
        t.is(atMs.length, 1);
        t.true((atMs[0] ?? 0) <= deadlineMs + LATE_MS, `${(atMs[0] ?? 0) - deadlineMs} ms late`);
      }
      t.is(asks.waiting() + asked.flat().length, 0);
    }),
    { numRuns: Number(process.env.PROPERTY_RUNS ?? 100), endOnFailure: true },
  );
});

test('an ask is always put to the thread of its recipient, the second time too', (t) => {
  const { asks, asked, play } = setUp();
  void play({ kind: 'ask', at: 0, count: 30, budgetMs: 1_000 });
  const first = asked.map((items) => items.splice(0));
  for (const pending of first.flat()) asks.lost(pending, true);
  t.deepEqual(
    asked.map((items) => items.map(({ recipient }) => recipient)),
    first.map((items) => items.map(({ recipient }) => recipient)),
  );
  for (const [thread, items] of asked.entries()) {
    for (const { destination, recipient } of items) t.is(laneOf(destination, recipient), thread);
  }
});
