import { setTimeout as pause } from 'node:timers/promises';
import type { Verdict } from '@callahead/core';
import anyTest, { type ExecutionContext } from 'ava';
import { createEngine } from '../../packages/workers/src/engine.ts';
import { type FakeOptions, startFakeServer } from '../support/fake-server.ts';
import { recipientAt, routeTo } from '../support/routes.ts';
import { until } from '../support/until.ts';

const test = anyTest.serial;

const MAX_PENDING = 400;
const SHARE = MAX_PENDING / 4;
const CONNECTIONS = 5;
const PROBE = { maxConnectionsPerServer: CONNECTIONS, breaker: { failures: 3, maxPauseMs: 1_000 } };

function start(t: ExecutionContext) {
  const engine = createEngine({
    settings: { threads: 2, maxPending: MAX_PENDING },
    onFatal: (error) => t.fail(error.message),
  });
  t.teardown(() => engine.close(0));
  let asked = 0;

  /** Everybody is new. */
  function ask(port: number, count: number, withinMs: number): Promise<Verdict[]> {
    const deadlineMs = performance.now() + withinMs;
    const route = routeTo([port], PROBE);
    const recipients = Array.from({ length: count }, () => recipientAt(`user${asked++}@corp.example`));
    return Promise.all(
      recipients.map((recipient) => engine.validate({ recipient, route, deadlineMs, recorder: null })),
    );
  }

  async function loanOf(port: number) {
    const { loans } = await engine.report();
    return loans.find(({ server }) => server === `127.0.0.1:${port}`);
  }

  return { engine, ask, loanOf };
}

async function startServer(t: ExecutionContext, options: FakeOptions) {
  const server = await startFakeServer(options);
  t.teardown(server.stop);
  return server;
}

function causes(verdicts: readonly Verdict[]): readonly string[] {
  return verdicts.map((verdict) => (verdict.kind === 'failed' ? verdict.cause : verdict.kind));
}

test('of ten destinations one is a black hole: it holds no more than its share, and of the nine every recipient is asked about once and answered', async (t) => {
  const { engine, ask, loanOf } = start(t);
  const hole = await startServer(t, { on: { connect: () => ({ kind: 'silent' }) } });
  const nine = await Promise.all(
    Array.from({ length: 9 }, () => startServer(t, { on: { RCPT: () => '250 2.1.5 Ok' } })),
  );
  await engine.up();

  const lost = ask(hole.port, 3 * SHARE, 2_000);
  const [atOnce] = await Promise.all([engine.report(), until(() => hole.open() === CONNECTIONS)]);
  t.deepEqual([atOnce.asking, atOnce.waiting], [SHARE, SHARE]);
  for (let round = 0; round < 3; round++) {
    const answers = await Promise.all(nine.map(({ port }) => ask(port, 20, 30_000)));
    t.deepEqual(new Set(causes(answers.flat())), new Set(['valid']));
    const loan = await loanOf(hole.port);
    t.true((loan?.held ?? 0) <= CONNECTIONS, `${loan?.held} connections`);
  }
  for (const { asked } of nine) t.deepEqual([asked.length, new Set(asked).size], [60, 60]);

  const told = causes(await lost);
  t.is(told.filter((cause) => cause === 'overload').length, SHARE);
  t.false(told.includes('valid'));
  t.is(hole.mostOpen(), CONNECTIONS);
  t.is(hole.asked.length, 0);
});

test('a black hole that answers again is tried by one connection of one thread, whoever waits, and then has its connections back', async (t) => {
  const { engine, ask, loanOf } = start(t);
  const gate = Promise.withResolvers<string>();
  let isWell = false;
  const server = await startServer(t, {
    on: { connect: () => (isWell ? null : { kind: 'close' }), RCPT: () => gate.promise },
  });
  await engine.up();

  await ask(server.port, SHARE, 700);
  // Its connections end a moment behind their answers.
  while ((await loanOf(server.port))?.breaker !== 'open') await pause(10);
  isWell = true;
  const before = server.sessions.length;
  const waiting: Promise<Verdict[]>[] = [];
  await until(() => {
    waiting.push(ask(server.port, 2, 20_000));
    return server.asked.length > 0;
  });
  // A stampede: more come in both threads, for as long as the one that tries has no answer.
  for (let round = 0; round < 20; round++) {
    waiting.push(ask(server.port, 2, 20_000));
    await pause(20);
  }
  t.is(server.sessions.length - before, 1);
  t.is((await loanOf(server.port))?.breaker, 'half-open');

  gate.resolve('250 2.1.5 Ok');
  const told = causes((await Promise.all(waiting)).flat());
  t.true(told.includes('valid'));
  t.true(told.every((cause) => cause === 'valid' || cause === 'connect' || cause === 'overload'));
  await until(() => {
    void ask(server.port, 50, 20_000);
    return server.open() === CONNECTIONS;
  });
  t.is(server.mostOpen(), CONNECTIONS);
});
