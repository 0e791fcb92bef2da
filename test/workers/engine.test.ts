import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Event, Step, Verdict } from '@callahead/core';
import anyTest, { type ExecutionContext } from 'ava';
import { createEngine, type Engine, type EngineOptions } from '../../packages/workers/src/engine.ts';
import { type FakeServer, startFakeServer } from '../support/fake-server.ts';
import { recipientAt, routeTo } from '../support/routes.ts';

// One engine at a time: each starts threads of its own.
const test = anyTest.serial;
const FAKE_THREAD = new URL('../support/fake-thread.ts', import.meta.url);
const ROUTE = routeTo([25]);

function start(t: ExecutionContext, options: EngineOptions = {}): Engine & { events: Event[] } {
  const events: Event[] = [];
  const engine = createEngine({
    threadFile: FAKE_THREAD,
    emit: (event) => events.push(event),
    onFatal: (error) => t.fail(error.message),
    ...options,
    settings: { threads: 2, ...options.settings },
  });
  t.teardown(() => engine.close(0));
  return { ...engine, events };
}

function validate(engine: Engine, local: string, withinMs = 10_000, route = ROUTE): Promise<Verdict> {
  const recipient = recipientAt(`${local}@corp.example`);
  return engine.validate({ recipient, route, deadlineMs: performance.now() + withinMs, recorder: null });
}

function causeOf(verdict: Verdict): string {
  return verdict.kind === 'failed' ? verdict.cause : verdict.kind;
}

test('the engine says when every thread is up, and also when none will be', async (t) => {
  const engine = start(t);
  await engine.up();
  t.is((await validate(engine, 'yes', 1_000)).kind, 'valid');
  const closed = start(t);
  await closed.close(0);
  await t.notThrowsAsync(closed.up());
});

test('each ask gets its own verdict', async (t) => {
  const engine = start(t);
  const locals = Array.from({ length: 500 }, (_, i) => (i % 3 === 0 ? `no${i}` : `yes${i}`));
  const verdicts = await Promise.all(locals.map((local) => validate(engine, local)));
  for (const [i, verdict] of verdicts.entries()) {
    t.is(verdict.kind, i % 3 === 0 ? 'unknown' : 'valid');
    if (verdict.kind === 'unknown') t.is(verdict.reply.text, `${locals[i]}@corp.example`);
  }
});

test('a recipient meets the same thread again', async (t) => {
  const engine = start(t, { settings: { threads: 3 } });
  for (let i = 0; i < 20; i++) {
    t.is((await validate(engine, `yes${i}`)).source, 'server');
    t.is((await validate(engine, `yes${i}`)).source, 'cache');
  }
});

test('a recipient nobody answers for is failed timeout at its deadline, and its credit stays out', async (t) => {
  const engine = start(t, { settings: { maxPending: 8 } });
  await validate(engine, 'yes');
  const beganMs = performance.now();
  const verdict = await validate(engine, 'slow', 200);
  const tookMs = performance.now() - beganMs;
  t.is(causeOf(verdict), 'timeout');
  t.true(tookMs >= 199 && tookMs < 450, `${tookMs} ms`);
  t.is((await engine.report()).asking, 1);
});

test('a deadline that is over is answered at once', async (t) => {
  const engine = start(t);
  t.is(causeOf(await validate(engine, 'yes', -1)), 'timeout');
});

test('a silent destination uses only its quarter: no room there, others go on', async (t) => {
  const engine = start(t, { settings: { maxPending: 8 } });
  const waiting = ['slow1', 'slow2', 'slow3', 'slow4'].map((local) => validate(engine, local, 1_000));
  t.is(causeOf(await validate(engine, 'yes', 1_000)), 'overload');
  t.is(causeOf(await validate(engine, 'yes', 10_000, routeTo([26]))), 'valid');
  t.false(engine.full());
  t.deepEqual((await Promise.all(waiting)).map(causeOf), ['timeout', 'timeout', 'timeout', 'timeout']);
});

test('the engine is full when nothing more may wait', async (t) => {
  const engine = start(t, { settings: { maxPending: 4 } });
  const ports = [25, 26, 27, 28];
  const waiting = ports.map((port) => validate(engine, 'slow', 300, routeTo([port])));
  t.true(engine.full());
  await Promise.all(waiting);
});

test('over maxDestinations there is no room while none is idle', async (t) => {
  const engine = start(t, { settings: { maxDestinations: 1 } });
  const waiting = validate(engine, 'slow', 300);
  t.is(causeOf(await validate(engine, 'yes', 1_000, routeTo([26]))), 'overload');
  await waiting;
});

test('a destination that made room is introduced anew when it is asked again', async (t) => {
  const engine = start(t, { settings: { maxDestinations: 1 } });
  for (const port of [25, 26, 25, 26]) t.is((await validate(engine, 'yes', 5_000, routeTo([port]))).kind, 'valid');
  const { destinations, threads } = await engine.report();
  t.is(destinations, 1);
  t.is(threads.flatMap((thread) => thread.destinations).length, 1);
});

test('threads ask by the newest route of a destination', async (t) => {
  const engine = start(t, { settings: { threads: 1 } });
  const asked = async (generation: number, address: string): Promise<string> => {
    const targets = [{ name: '127.0.0.1', address }];
    const tiers = [[{ kind: 'tcp' as const, host: '127.0.0.1', port: 25, targets }]];
    return (await validate(engine, 'yes', 5_000, { ...ROUTE, generation, tiers })).server;
  };
  t.is(await asked(2, '127.0.0.1'), '2/127.0.0.1');
  t.is(await asked(2, '127.0.0.2'), '2/127.0.0.2');
  t.is(await asked(1, '127.0.0.3'), '2/127.0.0.2');
  t.is(await asked(3, '127.0.0.2'), '3/127.0.0.2');
});

test('what is learnt is there for the next ask, and look-up and flush reach every thread', async (t) => {
  const engine = start(t);
  await Promise.all(Array.from({ length: 20 }, (_, i) => validate(engine, `no${i}`)));
  t.is(await engine.flush({ kind: 'all' }), 20);
  const valid: Verdict = { kind: 'valid', source: 'delivery', server: '127.0.0.1:25' };
  for (let i = 0; i < 10; i++) engine.learn(ROUTE, recipientAt(`yes${i}@corp.example`), valid);
  t.is((await validate(engine, 'yes5')).source, 'cache');
  t.is((await engine.lookup(recipientAt('yes7@corp.example'))).length, 1);
  t.is(await engine.flush({ kind: 'all' }), 10);
  t.deepEqual(await engine.lookup(recipientAt('yes7@corp.example')), []);
});

test('a recorder hears the steps of its own ask', async (t) => {
  const engine = start(t);
  const steps: Step[] = [];
  const recipient = recipientAt('yes@corp.example');
  const deadlineMs = performance.now() + 5_000;
  await Promise.all([
    engine.validate({ recipient, route: ROUTE, deadlineMs, recorder: (step) => steps.push(step) }),
    validate(engine, 'yes2'),
  ]);
  t.deepEqual(
    steps.map(({ stage }) => stage),
    ['engine', 'fake'],
  );
});

test('closing answers those who wait, and nothing is asked afterwards', async (t) => {
  const engine = start(t);
  await validate(engine, 'yes');
  const waiting = validate(engine, 'slow');
  await Promise.all([engine.close(50), engine.close(50)]);
  t.is(causeOf(await waiting), 'overload');
  t.is(causeOf(await validate(engine, 'yes')), 'overload');
  t.is(await engine.flush({ kind: 'all' }), 0);
});

for (const death of ['throw', 'exit', 'hang', 'reject', 'leave']) {
  test(`a thousand recipients in flight when a thread is told to ${death}, again and again, are answered inside their budget`, async (t) => {
    const engine = start(t, { settings: { maxPending: 8_000 } });
    await validate(engine, 'yes');
    // The thread dies with nothing answered, and once more when what it held is asked again.
    const locals = Array.from({ length: 1_000 }, (_, i) => (i === 500 ? death : `yes${i}`));
    const verdicts = await Promise.all(locals.map((local) => validate(engine, local)));
    t.deepEqual([...new Set(verdicts.map(causeOf))].sort(), ['overload', 'valid']);
    t.is((await engine.report()).asking, 0);
    t.is(engine.events.filter(({ event }) => event === 'thread.replaced').length, 2);
    t.is((await validate(engine, 'yes')).kind, 'valid');
  });
}

for (const death of ['throw', 'exit', 'hang', 'reject', 'leave']) {
  test(`ten thousand that the only thread holds when it is made to ${death} are asked again, and all get a real verdict`, async (t) => {
    const engine = start(t, { settings: { threads: 1, maxPending: 48_000 } });
    await validate(engine, 'yes');
    // What it learns goes ahead of what is asked in the same turn: it dies with all of that before it.
    engine.learn(ROUTE, recipientAt(`${death}-soon@corp.example`), { kind: 'valid', source: 'delivery', server: 'mx' });
    const verdicts = await Promise.all(Array.from({ length: 10_000 }, (_, i) => validate(engine, `yes${i}`)));
    t.deepEqual([...new Set(verdicts.map(causeOf))], ['valid']);
    t.is((await engine.report()).asking, 0);
    t.like(engine.events, [{ event: 'thread.replaced', outstanding: 10_000 }]);
    t.is(engine.events.length, 1);
  });
}

test('a main thread that stood still does not take its threads for dead', async (t) => {
  const engine = start(t);
  await validate(engine, 'yes');
  const untilMs = performance.now() + 1_500;
  while (performance.now() < untilMs);
  for (let round = 0; round < 5; round++) await validate(engine, `slow${round}`, 100);
  t.deepEqual(engine.events, []);
});

test('threads that die as fast as they start end the engine, with an answer for everybody', async (t) => {
  const fatal = Promise.withResolvers<Error>();
  const threadFile = new URL('./no-such-thread.ts', import.meta.url);
  const engine = start(t, { threadFile, onFatal: fatal.resolve, settings: { threads: 1 } });
  const waiting = validate(engine, 'yes', 60_000);
  t.regex((await fatal.promise).message, /thread 0 died 11 times in a row/);
  t.is(causeOf(await waiting), 'overload');
  t.is(causeOf(await validate(engine, 'yes')), 'overload');
});

test('a drain ends although threads die as fast as they start and another one says nothing', async (t) => {
  const fatal = Promise.withResolvers<Error>();
  const threadFile = new URL('../support/doomed-thread.ts', import.meta.url);
  const engine = start(t, { threadFile, onFatal: fatal.resolve });
  await engine.up();
  const waiting = validate(engine, 'anybody', 60_000);
  process.env.DOOMED = 'yes';
  t.teardown(() => {
    delete process.env.DOOMED;
  });
  await engine.close(600_000);
  t.regex((await fatal.promise).message, /died 11 times in a row/);
  t.is(causeOf(await waiting), 'overload');
});

test('threads share the connections of a server that takes fewer than it may be asked for, and do not leave it alone', async (t) => {
  const server: FakeServer = await startFakeServer({
    on: {
      connect: () =>
        server.open() > 1 ? { reply: '421 4.7.0 Too many connections', close: true } : '220 fake.example',
      RCPT: () => '250 2.1.5 Ok',
    },
  });
  const events: Event[] = [];
  const engine = createEngine({ settings: { threads: 2 }, emit: (event) => events.push(event) });
  t.teardown(async () => {
    await engine.close(0);
    await server.stop();
  });
  const route = routeTo([server.port]);
  t.is((await validate(engine, 'first', 10_000, route)).kind, 'valid');
  // Those that are turned away learn it for the others.
  for (const round of [0, 1, 2, 3]) {
    const locals = Array.from({ length: 100 }, (_, i) => `user${round}-${i}`);
    const verdicts = await Promise.all(locals.map((local) => validate(engine, local, 10_000, route)));
    const kinds = new Set(verdicts.map(causeOf));
    if (round < 2) kinds.delete('temporary');
    t.deepEqual([...kinds], ['valid']);
  }
  t.false(events.some(({ event }) => event === 'breaker.opened'));
});

test('a process whose engine is closed ends by itself', async (t) => {
  const script = `
    import { createEngine } from '${new URL('../../packages/workers/src/engine.ts', import.meta.url)}';
    import { recipientAt, routeTo } from '${new URL('../support/routes.ts', import.meta.url)}';
    const engine = createEngine({ threadFile: new URL('${FAKE_THREAD}') });
    const ask = (local) => engine.validate({
      recipient: recipientAt(local + '@x'), route: routeTo([25]), deadlineMs: performance.now() + 20_000, recorder: null,
    });
    const waiting = ask('slow');
    process.stdout.write((await ask('yes')).kind);
    await engine.close(50);
    process.stdout.write(' ' + (await waiting).kind);
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    timeout: 30_000,
  });
  t.is(stdout, 'valid failed');
});
