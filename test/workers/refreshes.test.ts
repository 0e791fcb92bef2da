import type { Probe, Verdict } from '@callahead/core';
import test, { type ExecutionContext } from 'ava';
import { createRefreshes } from '../../packages/workers/src/refreshes.ts';
import { type Bench, startBench } from '../support/fake-main.ts';
import type { FakeOptions } from '../support/fake-server.ts';
import { until } from '../support/until.ts';

const ADDRESS = 'a@x.example';

type Later = Bench & Readonly<{ pass(ms: number): void }>;

/** A bench whose clock can be moved on. */
async function start(t: ExecutionContext, options: FakeOptions, settings: Partial<Probe>): Promise<Later> {
  let passedMs = 0;
  const bench = await startBench(t, options, settings, { now: () => performance.now() + passedMs });
  return {
    ...bench,
    pass(ms) {
      passedMs += ms;
    },
  };
}

const ahead: Partial<Probe> = {
  cacheTtlMs: 100_000,
  negativeCacheTtlMs: 100_000,
  refreshAheadMs: 20_000,
  sessionLifetimeMs: 10_000_000,
  // To the null sender a no among others is asked again, alone.
  mailFrom: 'gw@gateway.example',
};
const kept = { kind: 'valid', source: 'cache' } as const;

test.serial('a hit close to its end is answered from the cache and asked anew once, whoever hits it', async (t) => {
  const gate = Promise.withResolvers<string>();
  const { main, server, pass } = await start(
    t,
    { on: { RCPT: () => (server.asked.length < 2 ? '250 Ok' : gate.promise) } },
    ahead,
  );
  await main.ask([ADDRESS]);
  pass(79_000);
  t.like(await main.ask([ADDRESS]), [kept]);
  t.is(server.asked.length, 1);
  pass(2_000);
  t.like(await main.ask([ADDRESS, ADDRESS]), [kept, kept]);
  t.like(await main.ask([ADDRESS]), [kept]);
  await until(() => server.asked.length === 2);
  gate.resolve('250 Ok');
  while ((await ttlOf(main)) < 90_000);
  t.like(await main.ask([ADDRESS]), [kept]);
  t.is(server.asked.length, 2);
});

test.serial('what is asked ahead is counted, and what is told after its end too', async (t) => {
  const both = { ...ahead, staleIfErrorMs: 50_000 };
  const { main, server, loan, pass } = await start(t, { users: [ADDRESS] }, both);
  await main.ask([ADDRESS]);
  pass(81_000);
  await main.ask([ADDRESS]);
  await until(() => server.asked.length === 2);
  t.like(main.host.counts(), [{ verdicts: { valid: 2 }, cached: 1, refreshed: 1, stale: 0 }]);
  while ((await ttlOf(main)) < 90_000);
  await server.stop();
  main.denyUntil(loan, Number.POSITIVE_INFINITY);
  pass(120_000);
  await main.ask([ADDRESS, 'b@x.example']);
  t.like(main.host.counts().at(-1), { verdicts: { valid: 1, failed: 1 }, cached: 1, refreshed: 0, stale: 1 });
});

test.serial('who asks after the end joins the question that was asked ahead of it', async (t) => {
  const gate = Promise.withResolvers<string>();
  const { main, server, pass } = await start(
    t,
    { on: { RCPT: () => (server.asked.length < 2 ? '250 Ok' : gate.promise) } },
    ahead,
  );
  await main.ask([ADDRESS]);
  pass(99_000);
  await main.ask([ADDRESS], { budgetMs: 100_000 });
  await until(() => server.asked.length === 2);
  pass(1_000);
  const later = main.ask([ADDRESS], { budgetMs: 100_000 });
  await main.question({ kind: 'report' });
  gate.resolve('250 Ok');
  t.like(await later, [{ kind: 'valid', source: 'server' }]);
  t.is(server.asked.length, 2);
});

test.serial('a no is asked anew too, unless it is as short-lived as that', async (t) => {
  const { main, server, pass } = await start(t, { users: [] }, ahead);
  await main.ask([ADDRESS]);
  pass(90_000);
  t.like(await main.ask([ADDRESS]), [{ kind: 'unknown', source: 'cache' }]);
  await until(() => server.asked.length === 2);
  const short = await start(t, { users: [] }, { ...ahead, negativeCacheTtlMs: 20_000 });
  await short.main.ask([ADDRESS]);
  t.like(await short.main.ask([ADDRESS]), [{ kind: 'unknown', source: 'cache' }]);
  await short.main.question({ kind: 'report' });
  t.is(short.server.asked.length, 1);
});

test.serial('a refresh without an answer leaves the yes as it is, and is not repeated at each hit', async (t) => {
  for (const trouble of ['451 4.7.1 Greylisted', '503 5.5.1 What'] as const) {
    const { main, server, pass } = await start(
      t,
      { on: { RCPT: () => (server.asked.length === 1 ? '250 Ok' : trouble) } },
      ahead,
    );
    await main.ask([ADDRESS]);
    pass(90_000);
    const told = main.hears(({ kind }) => kind === 'dialogue');
    t.like(await main.ask([ADDRESS]), [kept]);
    await told;
    t.like(await main.ask([ADDRESS, ADDRESS]), [kept, kept]);
    t.like(await main.ask([ADDRESS]), [kept]);
    t.is(server.asked.length, 2);
    pass(1_001);
    const again = main.hears(({ kind }) => kind === 'dialogue');
    await main.ask([ADDRESS]);
    await again;
    t.is(server.asked.length, 3);
  }
});

test.serial('a refresh that finds the recipient gone says so to the next one', async (t) => {
  const { main, server, pass } = await start(
    t,
    { on: { RCPT: () => (server.asked.length === 1 ? '250 Ok' : '550 5.1.1 Gone') } },
    ahead,
  );
  await main.ask([ADDRESS]);
  pass(90_000);
  const told = main.hears(({ kind }) => kind === 'dialogue');
  t.like(await main.ask([ADDRESS]), [kept]);
  await told;
  t.like(await main.ask([ADDRESS]), [{ kind: 'unknown', source: 'cache' }]);
});

test.serial('a flush beats a refresh in flight', async (t) => {
  const gate = Promise.withResolvers<string>();
  const { main, server, pass } = await start(
    t,
    { on: { RCPT: () => (server.asked.length === 2 ? gate.promise : '250 Ok') } },
    ahead,
  );
  await main.ask([ADDRESS]);
  pass(90_000);
  await main.ask([ADDRESS]);
  await until(() => server.asked.length === 2);
  await main.question({ kind: 'flush', what: { kind: 'recipient', value: ADDRESS } });
  gate.resolve('250 Ok');
  await main.ask(['b@x.example']);
  t.like(await main.question({ kind: 'lookup', recipient: ADDRESS }), { entries: [] });
});

test.serial('a question that wants an answer of its own refreshes nothing', async (t) => {
  const { main, server, pass } = await start(t, { users: [ADDRESS] }, ahead);
  await main.ask([ADDRESS]);
  pass(90_000);
  t.like(await main.ask([ADDRESS], { fresh: true }), [{ kind: 'valid', source: 'server' }]);
  t.is(server.asked.length, 2);
  t.true((await ttlOf(main)) < 11_000);
});

const stale: Partial<Probe> = { cacheTtlMs: 100_000, staleIfErrorMs: 50_000, sessionLifetimeMs: 10_000_000 };

test.serial('a known-good answer outlives its time while no server answers, and no longer', async (t) => {
  const { main, server, loan, pass } = await start(t, { users: [ADDRESS] }, stale);
  await main.ask([ADDRESS]);
  await server.stop();
  pass(149_000);
  main.denyUntil(loan, Number.POSITIVE_INFINITY);
  t.like(await main.ask([ADDRESS, 'b@x.example']), [kept, { kind: 'failed', cause: 'connect' }]);
  t.like(await main.ask([ADDRESS], { fresh: true }), [{ kind: 'failed' }]);
  pass(2_000);
  t.like(await main.ask([ADDRESS]), [{ kind: 'failed', cause: 'connect' }]);
});

test.serial('a silent server is no answer: who waited in vain gets the known-good one', async (t) => {
  const { main, server, pass } = await start(
    t,
    { on: { RCPT: () => (server.asked.length === 1 ? '250 Ok' : { kind: 'silent' }) } },
    stale,
  );
  await main.ask([ADDRESS]);
  pass(110_000);
  const patient = main.ask([ADDRESS], { budgetMs: 400 });
  t.like(await main.ask([ADDRESS], { budgetMs: 150 }), [kept]);
  t.like(await patient, [kept]);
  t.is(server.asked.length, 2);
});

test.serial('what a server says counts for more than what it said: 4yz, and no', async (t) => {
  for (const [reply, kind] of [
    ['451 4.7.1 Greylisted', 'temporary'],
    ['550 5.1.1 Gone', 'unknown'],
    ['550 5.7.1 No', 'refused'],
  ] as const) {
    const { main, server, pass } = await start(
      t,
      { on: { RCPT: () => (server.asked.length === 1 ? '250 Ok' : reply) } },
      stale,
    );
    await main.ask([ADDRESS]);
    pass(110_000);
    t.like(await main.ask([ADDRESS]), [{ kind, source: 'server' }]);
  }
});

test('so many are asked anew at once, and none for a while after one that had no answer', (t) => {
  const clock = { ms: 0 };
  let counted = 0;
  const refreshes = createRefreshes(() => clock.ms, { refresh: () => counted++ });
  let begun = 0;
  while (refreshes.begin()) begun++;
  t.is(begun, 100);
  refreshes.ended({ kind: 'valid', source: 'server', server: '' });
  t.true(refreshes.begin());
  const failed: Verdict = { kind: 'failed', source: 'server', server: '', cause: 'timeout', detail: '', ref: '' };
  refreshes.ended(failed);
  t.false(refreshes.begin());
  clock.ms = 1000;
  t.true(refreshes.begin());
  t.is(counted, 102);
});

async function ttlOf(main: Bench['main']): Promise<number> {
  const answer = await main.question({ kind: 'lookup', recipient: ADDRESS });
  return answer.kind === 'found' ? (answer.entries[0]?.ttlMs ?? 0) : 0;
}
