import type { ToMain } from '@callahead/core';
import test from 'ava';
import { probeOf, startBench } from '../support/fake-main.ts';

test('a known recipient is valid and an unknown one is unknown', async (t) => {
  const { main, server } = await startBench(t, { users: ['ann@corp.example'] });
  const [ann, bob] = await main.ask(['ann@corp.example', 'bob@corp.example']);
  t.deepEqual(ann, { kind: 'valid', source: 'server', server: `mx.example:${server.port}` });
  t.like(bob, { kind: 'unknown', reply: { code: 550, enhanced: '5.1.1', text: 'No such user' } });
});

test('an ask for a destination that is not known is answered overload', async (t) => {
  const { main } = await startBench(t);
  t.like(await main.ask(['a@x.example'], { destination: 9 }), [{ kind: 'failed', cause: 'overload' }]);
});

test('a permit that nobody borrowed goes straight back, and a denial or a recall of nothing does nothing', async (t) => {
  const { main, server } = await startBench(t);
  const returned = main.hears(({ kind }) => kind === 'returned');
  main.send({ kind: 'deny', loan: 'x', untilMs: 0 }, { kind: 'recall', loan: 'x' }, { kind: 'lend', loan: 'x' });
  t.deepEqual(await returned, { kind: 'returned', loan: 'x', outcome: 'closed' });
  t.is(server.sessions.length, 0);
});

test('the steps of a traced ask are told before its verdict, and of no other', async (t) => {
  const { main } = await startBench(t, { users: ['a@x.example'] });
  await main.ask(['a@x.example']);
  t.false(main.told.some(({ kind }) => kind === 'step'));
  await main.ask(['a@x.example', 'b@x.example'], { traced: true });
  const stages = main.told.flatMap((message) => (message.kind === 'step' ? [message.step.stage] : []));
  t.deepEqual(stages.slice(0, 2), ['cache', 'server']);
});

/** What was told of a stage, a fact of each step. */
function facts(told: readonly ToMain[], stage: string, fact: string): (string | undefined)[] {
  return told.flatMap((message) =>
    message.kind === 'step' && message.step.stage === stage ? [message.step.facts[fact]] : [],
  );
}

test('a fresh question is asked whatever the cache holds, and leaves nothing in it', async (t) => {
  const { main, server } = await startBench(t, { users: ['a@x.example'] });
  await main.ask(['b@x.example'], { fresh: true });
  t.like(await main.ask(['a@x.example'], { fresh: true }), [{ kind: 'valid', source: 'server' }]);
  t.deepEqual(await main.question({ kind: 'lookup', recipient: 'a@x.example' }), { kind: 'found', entries: [] });
  t.deepEqual(await main.question({ kind: 'lookup', recipient: 'b@x.example' }), { kind: 'found', entries: [] });
  await main.ask(['a@x.example']);
  await main.ask(['a@x.example'], { fresh: true });
  t.deepEqual(server.asked, ['b@x.example', 'a@x.example', 'a@x.example', 'a@x.example']);
});

test('a fresh question shares its probe with nobody', async (t) => {
  const { main, server } = await startBench(t, { users: ['a@x.example'] });
  const all = [main.ask(['a@x.example']), main.ask(['a@x.example'], { fresh: true }), main.ask(['a@x.example'])];
  await Promise.all(all);
  t.deepEqual(server.asked, ['a@x.example', 'a@x.example']);
});

test('who watches a probe is told every line of it and how long its verdict would be kept', async (t) => {
  const { main, server } = await startBench(t, { users: ['a@x.example'] });
  await main.ask(['a@x.example'], { traced: true, fresh: true });
  const lines = facts(main.told, 'dialogue', 'line');
  t.is(lines[0], `-- mx.example:${server.port}`);
  t.is(lines[1], `-- connected to 127.0.0.1:${server.port} from 127.0.0.1`);
  t.is(lines[2], 'S: 220 fake.example ESMTP');
  t.deepEqual(lines.slice(-2), ['C: RCPT TO:<a@x.example>', 'S: 250 2.1.5 Ok']);
  t.deepEqual(facts(main.told, 'keep', 'forMs'), [String(probeOf().cacheTtlMs)]);
});

test('a thread that closes answers everybody who waits', async (t) => {
  const { main } = await startBench(t, { on: { RCPT: () => ({ kind: 'silent' }) } });
  const asked = main.ask(['a@x.example', 'b@x.example']);
  await main.hears(({ kind }) => kind === 'borrow');
  main.host.close();
  t.like(await asked, [
    { kind: 'failed', cause: 'overload' },
    { kind: 'failed', cause: 'overload' },
  ]);
  while (main.out() > 0) await main.hears(({ kind }) => kind === 'returned');
  t.deepEqual(main.unasked, []);
});

test('equal settings of a newer configuration keep a session, others replace it', async (t) => {
  const { main, server } = await startBench(t, { users: ['a@x.example', 'b@x.example', 'c@x.example'] });
  await main.ask(['a@x.example']);
  main.send({ kind: 'profiles', generation: 2, probes: { corp: probeOf() } });
  await main.ask(['b@x.example']);
  t.is(server.sessions.length, 1);
  const returned = main.hears(({ kind }) => kind === 'returned');
  main.send({ kind: 'profiles', generation: 3, probes: { corp: probeOf({ mailFrom: 'probe@gateway.example' }) } });
  await returned;
  t.is(server.sessions[0]?.lines.at(-1), 'QUIT');
  await main.ask(['c@x.example']);
  t.true(server.sessions[1]?.lines.includes('MAIL FROM:<probe@gateway.example>'));
});

test('the cache of a profile that is no more goes with its last destination', async (t) => {
  const { main } = await startBench(t, { users: ['a@x.example'] });
  await main.ask(['a@x.example']);
  const caches = async () => {
    const answer = await main.question({ kind: 'report' });
    return answer.kind === 'report' ? answer.report.caches.map(({ profile }) => profile) : [];
  };
  main.send({ kind: 'profiles', generation: 2, probes: {} });
  t.deepEqual(await caches(), ['corp']);
  t.like(await main.ask(['a@x.example']), [{ kind: 'valid', source: 'cache' }]);
  main.send({ kind: 'forget', destination: 1 });
  t.deepEqual(await caches(), []);
});
