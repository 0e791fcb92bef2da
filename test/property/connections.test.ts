import { setTimeout as pause } from 'node:timers/promises';
import type { Verdict } from '@callahead/core';
import anyTest from 'ava';
import fc from 'fast-check';
import { createEngine } from '../../packages/workers/src/engine.ts';
import { type Move, startFakeServer } from '../support/fake-server.ts';
import { recipientAt, routeTo } from '../support/routes.ts';

const test = anyTest.serial;

const faults = [
  { reply: '421 4.3.2 Going away', close: true },
  '450 4.2.0 Later',
  '452 4.5.3 Enough for now',
  { kind: 'close' },
  { kind: 'reset' },
  { kind: 'silent' },
  { raw: 'what?\r\n' },
  { raw: '250-2.1.5 Ok, and\r\n', close: true },
  { raw: Buffer.from([0x32, 0x35, 0x30, 0, 0xff, 0x0d, 0x0a]) },
] as const satisfies readonly Move[];

/** What the server does about one command; null: what a sound server does. */
const moves = fc.array(
  fc.oneof(
    { weight: 9, arbitrary: fc.constant<Move | null>(null) },
    { weight: 2, arbitrary: fc.constantFrom<Move>(...faults) },
  ),
  { minLength: 5, maxLength: 60 },
);
const scenario = fc.record({
  moves,
  delaysMs: fc.array(fc.nat(4), { minLength: 1, maxLength: 10 }),
  /** Turns of connections that the server takes, and then as many that it does not: it flaps. */
  flapping: fc.integer({ min: 1, max: 6 }),
  turnedAway: fc.constantFrom<Move>('421 4.3.2 Busy', '554 5.3.2 No', { kind: 'close' }, { kind: 'reset' }),
  maxConnectionsPerServer: fc.integer({ min: 1, max: 4 }),
  maxRecipientsPerSession: fc.integer({ min: 1, max: 12 }),
  maxRecipientsPerTransaction: fc.integer({ min: 1, max: 6 }),
  maxRejectionsPerSession: fc.integer({ min: 1, max: 10 }),
  /** The turns in which asks come, and to which of the destinations. */
  asks: fc.array(fc.record({ destination: fc.nat(1), pauseMs: fc.constantFrom(0, 0, 0, 0, 5) }), {
    minLength: 20,
    maxLength: 60,
  }),
});

test('two destinations share a server that flaps and breaks: never a connection or a recipient too many, one sound verdict an ask, every permit comes back', async (t) => {
  const engine = createEngine({ settings: { threads: 2 }, onFatal: (error) => t.fail(error.message) });
  t.teardown(() => engine.close(0));
  let run = 0;
  await fc.assert(
    fc.asyncProperty(scenario, async ({ moves, delaysMs, flapping, turnedAway, asks, ...limits }) => {
      let commands = 0;
      let connections = 0;
      const act = async (sound: string): Promise<Move> => {
        const turn = commands++;
        await pause(delaysMs[turn % delaysMs.length] ?? 0);
        return moves[turn % moves.length] ?? sound;
      };
      const server = await startFakeServer({
        on: {
          connect: () => (Math.floor(connections++ / flapping) % 2 === 0 ? '220 fake.example' : turnedAway),
          MAIL: () => act('250 2.1.0 Ok'),
          RCPT: ({ address }) => act(address.startsWith('user') ? '250 2.1.5 Ok' : '550 5.1.1 No such user'),
        },
      });
      t.teardown(server.stop);
      const profile = `profile${run++}`;
      const probe = { ...limits, sessionIdleMs: 50, breaker: { failures: 4, maxPauseMs: 1_000 } };
      const routes = ['one', 'two'].map((name) =>
        routeTo([server.port], probe, { key: `${profile} ${name}`, profile }),
      );
      const answers: Promise<Verdict>[] = [];
      const names = asks.map((_, i) => `${i % 3 === 0 ? 'guess' : 'user'}${i >> 1}@corp.example`);
      for (const [i, { destination, pauseMs }] of asks.entries()) {
        const route = routes[destination] ?? routeTo([server.port]);
        const recipient = recipientAt(names[i] ?? '');
        answers.push(engine.validate({ recipient, route, deadlineMs: performance.now() + 800, recorder: null }));
        if (pauseMs > 0) await pause(pauseMs);
      }
      for (const [i, { kind }] of (await Promise.all(answers)).entries()) {
        const wrong = names[i]?.startsWith('user') === true ? ['unknown', 'refused'] : ['valid'];
        t.false(wrong.includes(kind), `${names[i]} is ${kind}`);
      }
      // The threads say their verdicts, and close what is idle, a moment after the waiters had theirs.
      for (let round = 0; (await busy(profile)) > 0; round++) {
        if (round > 400) throw new Error('credits or permits do not come back');
        await pause(10);
      }
      t.true(server.mostOpen() <= limits.maxConnectionsPerServer, `${server.mostOpen()} connections`);
      for (const { rcpts } of server.sessions) t.true(rcpts <= limits.maxRecipientsPerSession, `${rcpts} recipients`);
    }),
    { numRuns: Number(process.env.PROPERTY_RUNS ?? 15), endOnFailure: true },
  );

  async function busy(profile: string): Promise<number> {
    const { asking, waiting, loans } = await engine.report();
    const held = loans.filter((loan) => loan.profile === profile).reduce((sum, loan) => sum + loan.held, 0);
    return asking + waiting + held;
  }
});
