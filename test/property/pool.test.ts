import { mock } from 'node:test';
import anyTest, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { createHabits } from '../../packages/workers/src/habits.ts';
import { attemptDeadlineMs, type Outcome, type Query, startQuery } from '../../packages/workers/src/query.ts';
import { createSessions } from '../../packages/workers/src/sessions.ts';
import { probeOf, serverAt } from '../support/fake-main.ts';
import { createWireServer } from '../support/wire-server.ts';

// One at a time: the clock is the process's.
const test = anyTest.serial;

const ANSWERS = ['250 2.1.5 Ok', '550 5.1.1 No such user', '450 4.2.0 Later', '452 4.5.3 Enough', '421 4.3.2 Bye'];
/** A session's own clock comes first and says what it waited for, then that of the actor. */
const LATE_MS = 60;

type Move =
  | Readonly<{ kind: 'ask'; count: number; budgetMs: number }>
  | Readonly<{ kind: 'answer'; connection: number; count: number; reply: string }>
  | Readonly<{ kind: 'close'; connection: number }>
  | Readonly<{ kind: 'recall' }>
  | Readonly<{ kind: 'pass'; ms: number }>;

const connection = fc.nat(7);
const scenario = fc.record({
  pipelining: fc.boolean(),
  maxConnectionsPerServer: fc.integer({ min: 1, max: 4 }),
  maxRecipientsPerTransaction: fc.integer({ min: 1, max: 150 }),
  moves: fc.array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          kind: fc.constant('ask' as const),
          count: fc.integer({ min: 1, max: 150 }),
          budgetMs: fc.integer({ min: 100, max: 8_000 }),
        }),
      },
      {
        weight: 8,
        arbitrary: fc.record({
          kind: fc.constant('answer' as const),
          connection,
          count: fc.integer({ min: 1, max: 120 }),
          reply: fc.oneof(
            { weight: 4, arbitrary: fc.constant('250 2.1.5 Ok') },
            { weight: 3, arbitrary: fc.constantFrom(...ANSWERS) },
          ),
        }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('close' as const), connection }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('recall' as const) }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(2_500) }) },
    ),
    { minLength: 5, maxLength: 40 },
  ),
});

/** A pool whose permits are counted here, before a server in memory, at a time that passes when it is told to. */
function setUp(t: ExecutionContext, { pipelining, ...limits }: Limits) {
  let nowMs = 1_000;
  let out = 0;
  let mostOut = 0;
  const asked: Query[] = [];
  const answers = new Map<Query, Outcome>();
  const wanted: (() => void)[] = [];
  const now = (): number => nowMs;
  const habits = createHabits(now)('corp mx');
  const server = createWireServer(now, pipelining, (rcpts, before, inTransaction) => {
    t.is(before, 0, 'a group has left before the last one was answered');
    t.true(rcpts <= (pipelining && !habits.rejectsSlowly() ? 100 : 1), `${rcpts} at once`);
    t.true(inTransaction <= limits.maxRecipientsPerTransaction, `${inTransaction} in a transaction`);
  });
  const pool = createSessions({
    server: () => serverAt(25),
    probe: () => probe,
    habits,
    connect: server.connect,
    now,
    borrow: (borrower) => wanted.push(() => borrower.lend()),
    giveBack() {
      out--;
    },
    answered() {},
    done(query, outcome) {
      t.false(answers.has(query), `${query.recipient} is answered twice`);
      const lateMs = nowMs - attemptDeadlineMs(query);
      t.true(lateMs <= LATE_MS, `${query.recipient} is answered ${lateMs} ms late`);
      answers.set(query, outcome);
    },
    supervise(work) {
      void (async () => work())().catch((error: unknown) => t.fail(String(error)));
    },
  });
  const probe = probeOf({ ...limits, commandTimeoutMs: 3_000, sessionIdleMs: 2_000 });

  async function settle(): Promise<void> {
    for (let turn = 0; turn < 4; turn++) {
      while (out < limits.maxConnectionsPerServer && wanted.length > 0) {
        out++;
        mostOut = Math.max(mostOut, out);
        wanted.shift()?.();
      }
      await new Promise(setImmediate);
    }
    t.true(server.open() <= out, `${server.open()} connections with ${out} permits`);
    t.is(pool.owed(), asked.length - answers.size);
  }

  async function pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 25) {
      nowMs += Math.min(25, left);
      mock.timers.tick(Math.min(25, left));
      await settle();
      pool.expire();
    }
  }

  function ask(count: number, budgetMs: number): void {
    for (let i = 0; i < count; i++) {
      const key = `user${asked.length}@x.example`;
      const deadlineMs = nowMs + budgetMs;
      const query = startQuery({ key, recipient: key, deadlineMs, waiter: null, generation: 0, ref: '', nowMs });
      query.at = { kind: 'server', attempt: { server: 'mx', startedMs: nowMs, shares: 1 } };
      asked.push(query);
      pool.add(query);
    }
    pool.pump();
  }

  async function play(move: Move): Promise<void> {
    const open = server.connections.filter((one) => one.isOpen());
    switch (move.kind) {
      case 'ask':
        ask(move.count, move.budgetMs);
        break;
      case 'answer':
        for (let i = 0; i < move.count; i++) open[move.connection % open.length]?.answer(move.reply);
        break;
      case 'close':
        open[move.connection % open.length]?.close();
        break;
      case 'recall':
        if (out > 0 && !pool.closeIdle()) pool.closeNext();
        break;
      case 'pass':
        await pass(move.ms);
    }
    await settle();
  }

  return { pool, server, asked, answers, play, pass, out: () => out };
}

type Limits = Readonly<{ pipelining: boolean; maxConnectionsPerServer: number; maxRecipientsPerTransaction: number }>;

test.beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
test.afterEach.always(() => mock.timers.reset());

test('the pool: no connection without a permit, no group before the last one is answered, one answer for each in its time, nothing left at the end', async (t) => {
  await fc.assert(
    fc.asyncProperty(scenario, async ({ moves, ...limits }) => {
      const { pool, server, asked, answers, play, pass, out } = setUp(t, limits);
      for (const move of moves) await play(move);
      await pass(8_100);
      t.is(answers.size, asked.length);
      let isOver = false;
      void pool.stop('drain').then(() => {
        isOver = true;
      });
      await pass(2_500);
      t.true(isOver);
      t.deepEqual([server.open(), out(), pool.owed(), pool.waiting()], [0, 0, 0, 0]);
    }),
    { numRuns: Number(process.env.PROPERTY_RUNS ?? 60), endOnFailure: true },
  );
});
