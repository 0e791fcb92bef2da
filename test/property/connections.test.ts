import { setTimeout as pause } from 'node:timers/promises';
import anyTest from 'ava';
import fc from 'fast-check';
import { createEngine } from '../../packages/workers/src/engine.ts';
import { type FakeOptions, type Move, startFakeServer } from '../support/fake-server.ts';
import { recipientAt, routeTo } from '../support/routes.ts';

const test = anyTest.serial;

/** What the server does about one RCPT. The weights leave most recipients an answer. */
const rcpt = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Move>('250 2.1.5 Ok') },
  { weight: 3, arbitrary: fc.constant<Move>('550 5.1.1 No such user') },
  { weight: 1, arbitrary: fc.constant<Move>('450 4.2.0 Later') },
  { weight: 1, arbitrary: fc.constant<Move>('452 4.5.3 Enough for now') },
  { weight: 1, arbitrary: fc.constant<Move>({ reply: '421 4.3.2 Going away', close: true }) },
  { weight: 1, arbitrary: fc.constant<Move>({ kind: 'close' }) },
  { weight: 1, arbitrary: fc.constant<Move>({ kind: 'reset' }) },
);
const scenario = fc.record({
  moves: fc.array(rcpt, { minLength: 1, maxLength: 40 }),
  delaysMs: fc.array(fc.nat(4), { minLength: 1, maxLength: 10 }),
  maxConnectionsPerServer: fc.integer({ min: 1, max: 4 }),
  maxRecipientsPerSession: fc.integer({ min: 1, max: 12 }),
  greeting: fc.constantFrom<Move>('220 fake.example', '220 fake.example', '421 4.3.2 Busy'),
});

test('two destinations that share a server never have more connections than the maximum, nor sessions more recipients, and each ask has its verdict', async (t) => {
  const engine = createEngine({ settings: { threads: 2 }, onFatal: (error) => t.fail(error.message) });
  t.teardown(() => engine.close(0));
  let run = 0;
  await fc.assert(
    fc.asyncProperty(scenario, async ({ moves, delaysMs, greeting, ...limits }) => {
      let rcpts = 0;
      let greetings = 0;
      const on: FakeOptions['on'] = {
        // Only every other connection is turned away, so that there is something to see behind it.
        connect: () => (greetings++ % 2 === 0 ? '220 fake.example' : greeting),
        async RCPT() {
          const turn = rcpts++;
          await pause(delaysMs[turn % delaysMs.length] ?? 0);
          return moves[turn % moves.length] ?? '250 2.1.5 Ok';
        },
      };
      const server = await startFakeServer({ on });
      const profile = `profile${run++}`;
      const routes = ['one', 'two'].map((name) =>
        routeTo([server.port], limits, { key: `${profile} ${name}`, profile }),
      );
      const asks = Array.from({ length: 40 }, (_, i) => {
        const route = routes[i % 2] ?? routeTo([server.port]);
        const recipient = recipientAt(`user${i}@corp.example`);
        return engine.validate({ recipient, route, deadlineMs: performance.now() + 1_500, recorder: null });
      });
      const verdicts = await Promise.all(asks);
      await server.stop();
      t.is(verdicts.length, 40);
      t.true(
        server.mostOpen() <= limits.maxConnectionsPerServer,
        `${server.mostOpen()} connections of ${limits.maxConnectionsPerServer}`,
      );
      for (const { rcpts: asked } of server.sessions) t.true(asked <= limits.maxRecipientsPerSession);
    }),
    { numRuns: 20 },
  );
  // The threads say their verdicts a moment after the waiters had theirs.
  for (let round = 0; (await engine.report()).asking > 0; round++) {
    if (round > 100) t.fail('credits are still out');
    await pause(50);
  }
  t.is((await engine.report()).asking, 0);
});
