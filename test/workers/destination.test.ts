import { createServer } from 'node:net';
import type { Probe, Server, Verdict } from '@callahead/core';
import test, { type ExecutionContext } from 'ava';
import { createConnect } from '../../packages/workers/src/connect.ts';
import type { Connect } from '../../packages/workers/src/opening.ts';
import {
  type FakeMain,
  type FakeMainOptions,
  routeTo,
  serverAt,
  startBench,
  startFakeMain,
} from '../support/fake-main.ts';
import { type FakeOptions, type FakeServer, startFakeServer } from '../support/fake-server.ts';
import { until } from '../support/until.ts';

const kinds = (verdicts: readonly Verdict[]): readonly string[] => verdicts.map(({ kind }) => kind);

type Tiers = readonly (readonly (FakeServer | number)[])[];

async function start(t: ExecutionContext, options: FakeOptions = {}): Promise<FakeServer> {
  const server = await startFakeServer(options);
  t.teardown(() => server.stop());
  return server;
}

/** A host with one destination of several servers: fake ones, or ports. Their names are mx0, mx1, … */
function startMain(
  t: ExecutionContext,
  tiers: Tiers,
  settings: Partial<Probe> = {},
  options: FakeMainOptions = {},
): FakeMain {
  let number = 0;
  const named: Server[][] = tiers.map((tier) =>
    tier.map((server) => serverAt(typeof server === 'number' ? server : server.port, `mx${number++}`)),
  );
  const main = startFakeMain(options);
  t.teardown(() => main.host.close());
  main.know(routeTo(named, settings));
  return main;
}

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  return bound.port;
}

test.serial('a cached answer is served without a question, and says that it is one', async (t) => {
  const { main, server } = await startBench(t, { users: ['a@x.example'] });
  await main.ask(['a@x.example', 'b@x.example']);
  const before = server.asked.length;
  t.like(await main.ask(['a@x.example', 'b@x.example']), [
    { kind: 'valid', source: 'cache' },
    { kind: 'unknown', source: 'cache', reply: { code: 550, enhanced: '5.1.1' } },
  ]);
  t.is(server.asked.length, before);
});

test.serial('equal questions in flight share one probe, and each gets its answer', async (t) => {
  const gate = Promise.withResolvers<string>();
  const { main, server } = await startBench(t, { on: { RCPT: () => gate.promise } });
  const first = main.ask(['a@x.example', 'a@x.example']);
  const later = main.ask(['a@x.example']);
  gate.resolve('250 Ok');
  t.deepEqual(kinds([...(await first), ...(await later)]), ['valid', 'valid', 'valid']);
  t.is(server.asked.length, 1);
});

test.serial('a hundred new recipients on a warm connection are one group on it', async (t) => {
  const { main, server } = await startBench(t, { on: { RCPT: () => '250 Ok' } });
  await main.ask(['warm@x.example']);
  const packets = main.packets();
  const verdicts = await main.ask(Array.from({ length: 99 }, (_, i) => `user${i}@x.example`));
  t.is(verdicts.filter(({ kind }) => kind === 'valid').length, 99);
  t.is(server.sessions.length, 1);
  t.true(main.packets() - packets <= 3, 'the verdicts of a turn are one packet');
});

test.serial('a hundred new recipients cost a warm connection two round trips at most', async (t) => {
  const real = createConnect(() => performance.now());
  let groups = 0;
  const connect: Connect = async (to, times) => {
    const dialed = await real(to, times);
    if (dialed.kind === 'failed') return dialed;
    const { conversation } = dialed;
    const cmds: typeof conversation.cmds = (...said) => {
      groups++;
      return conversation.cmds(...said);
    };
    return { ...dialed, conversation: { ...conversation, cmds } };
  };
  const { main, server } = await startBench(
    t,
    { on: { RCPT: () => '250 Ok' } },
    { maxRejectionsPerSession: 10 },
    { connect },
  );
  await main.ask(['warm@x.example']);
  groups = 0;
  await main.ask(Array.from({ length: 100 }, (_, i) => `user${i}@x.example`));
  t.is(server.asked.length, 101);
  t.is(server.sessions.length, 1);
  t.true(groups > 0 && groups <= 2, `${groups}`);
});

test.serial('temporary asks the next server, and counts when none is left', async (t) => {
  const busy = await start(t, { on: { RCPT: () => '451 4.7.1 Greylisted' } });
  const good = await start(t, { users: ['a@x.example'] });
  t.like(await startMain(t, [[busy], [good]]).ask(['a@x.example', 'b@x.example']), [
    { kind: 'valid', server: `mx1:${good.port}` },
    { kind: 'unknown', server: `mx1:${good.port}` },
  ]);
  t.like(await startMain(t, [[busy], [await closedPort()]]).ask(['a@x.example']), [
    { kind: 'temporary', server: `mx0:${busy.port}`, reply: { code: 451, enhanced: '4.7.1' } },
  ]);
});

test.serial('a server that refuses us is passed over for the next one, whatever it refuses', async (t) => {
  const good = await start(t, { users: ['a@x.example'] });
  const bad = await Promise.all([
    start(t, { on: { connect: () => '554 5.7.1 No' } }),
    start(t, { on: { connect: () => '421 4.3.2 Busy' } }),
    start(t, { on: { connect: () => ({ kind: 'close' }) } }),
    start(t, { on: { EHLO: () => '550 5.7.1 No', HELO: () => '550 5.7.1 No' } }),
    start(t, { on: { MAIL: () => '550 5.7.1 No' } }),
    start(t, { on: { RCPT: () => '503 5.5.1 What' } }),
  ]);
  for (const server of bad) {
    const main = startMain(t, [[server], [good]]);
    t.like(await main.ask(['a@x.example', 'b@x.example']), [{ kind: 'valid' }, { kind: 'unknown' }]);
  }
});

test.serial('a greeting with 5xx fails as greeting, with 4xx it is temporary', async (t) => {
  const refusing = await start(t, { on: { connect: () => '554 5.7.1 No' } });
  t.like(await startMain(t, [[refusing]]).ask(['a@x.example']), [{ kind: 'failed', cause: 'greeting' }]);
  const busy = await start(t, { on: { connect: () => '450 4.3.2 Busy' } });
  t.like(await startMain(t, [[busy]]).ask(['a@x.example']), [{ kind: 'temporary', reply: { code: 450 } }]);
});

test.serial('a 2xx from a server of worse preference is used but not cached, a 5xx is both', async (t) => {
  const backup = await start(t, { users: ['a@x.example'] });
  const main = startMain(t, [[await closedPort()], [backup]]);
  t.like(await main.ask(['a@x.example', 'b@x.example']), [{ kind: 'valid' }, { kind: 'unknown' }]);
  t.like(await main.ask(['a@x.example', 'b@x.example']), [
    { kind: 'valid', source: 'server' },
    { kind: 'unknown', source: 'cache' },
  ]);
});

test.serial('a silent server gets its share of the time, and then the next one is asked', async (t) => {
  const silent = await start(t, { on: { RCPT: () => ({ kind: 'silent' }) } });
  const good = await start(t, { users: ['a@x.example'] });
  const began = performance.now();
  t.like(await startMain(t, [[silent], [good]]).ask(['a@x.example'], { budgetMs: 600 }), [{ kind: 'valid' }]);
  const took = performance.now() - began;
  t.true(took > 200 && took < 550, `${took}`);
  t.false(silent.sessions[0]?.lines.includes('QUIT'));
});

test.serial('after the budget the connection is destroyed without QUIT and never used again', async (t) => {
  const { main, server } = await startBench(t, {
    on: { RCPT: ({ session }) => (session.number === 0 ? { kind: 'silent' } : '250 Ok') },
  });
  const began = performance.now();
  t.like(await main.ask(['a@x.example'], { budgetMs: 300 }), [{ kind: 'failed', cause: 'timeout' }]);
  t.true(performance.now() - began < 340);
  t.like(await main.ask(['b@x.example']), [{ kind: 'valid' }]);
  t.is(server.sessions.length, 2);
  t.false(server.sessions[0]?.lines.includes('QUIT'));
});

test.serial('a waiter is answered at its own deadline, and a later one keeps its time', async (t) => {
  const gate = Promise.withResolvers<string>();
  const { main } = await startBench(t, { on: { RCPT: () => gate.promise } });
  const hasty = main.ask(['a@x.example'], { budgetMs: 150 });
  const patient = main.ask(['a@x.example'], { budgetMs: 3000 });
  t.like(await hasty, [{ kind: 'failed', cause: 'timeout' }]);
  gate.resolve('250 Ok');
  t.like(await patient, [{ kind: 'valid' }]);
});

test.serial('a server that cannot be connected to is tried again once a second, inside the budget', async (t) => {
  const port = await closedPort();
  const main = startMain(t, [[port]]);
  const asked = main.ask(['a@x.example'], { budgetMs: 3000 });
  await main.hears(({ kind }) => kind === 'returned');
  const server = await start(t, { port, users: ['a@x.example'] });
  const began = performance.now();
  t.like(await asked, [{ kind: 'valid' }]);
  t.true(performance.now() - began > 500);
  t.is(server.sessions.length, 1);
});

test.serial('when the time is over and no connection came about it failed to connect', async (t) => {
  const main = startMain(t, [[await closedPort()]]);
  const began = performance.now();
  t.like(await main.ask(['a@x.example'], { budgetMs: 1300 }), [{ kind: 'failed', cause: 'connect' }]);
  t.true(performance.now() - began < 1350);
  t.is(main.told.filter((message) => message.kind === 'returned' && message.outcome === 'failed').length, 2);
});

test.serial('while the breakers of all servers are open the answer is failed connect, at once', async (t) => {
  const { main, loan, server } = await startBench(t);
  main.denyUntil(loan, performance.now() + 60_000);
  const began = performance.now();
  t.like(await main.ask(['a@x.example']), [{ kind: 'failed', cause: 'connect' }]);
  t.like(await main.ask(['b@x.example', 'c@x.example']), [
    { kind: 'failed', cause: 'connect' },
    { kind: 'failed', cause: 'connect' },
  ]);
  t.true(performance.now() - began < 500);
  t.is(server.sessions.length, 0);
});

test.serial('a server whose breaker is open is passed over', async (t) => {
  const down = await start(t);
  const good = await start(t, { users: ['a@x.example'] });
  const main = startMain(t, [[down], [good]]);
  main.denyUntil(`corp mx0:${down.port}`, performance.now() + 60_000);
  t.deepEqual(kinds(await main.ask(['a@x.example'])), ['valid']);
  t.is(down.sessions.length, 0);
});

test.serial('static servers take turns, a step a batch, beginning with the first', async (t) => {
  const servers = await Promise.all([start(t), start(t), start(t)]);
  const main = startMain(t, [servers]);
  for (let i = 0; i < 4; i++) await main.ask([`user${i}@x.example`, `other${i}@x.example`]);
  t.deepEqual(
    servers.map(({ asked }) => asked),
    [
      ['user0@x.example', 'other0@x.example', 'user3@x.example', 'other3@x.example'],
      ['user1@x.example', 'other1@x.example'],
      ['user2@x.example', 'other2@x.example'],
    ],
  );
});

test.serial('a server that greets with our name is skipped; nothing left is a loop', async (t) => {
  const us = await start(t, { name: 'Gateway.Example' });
  const good = await start(t, { users: ['a@x.example'] });
  t.deepEqual(kinds(await startMain(t, [[us], [good]]).ask(['a@x.example'])), ['valid']);
  const main = startMain(t, [[us]]);
  for (let i = 0; i < 7; i++) t.like(await main.ask(['a@x.example']), [{ kind: 'failed', cause: 'loop' }]);
  // Not failures, or the breaker would turn a loop into a failure that may fail open.
  while (main.out() > 0) await main.hears(({ kind }) => kind === 'returned');
  t.false(main.told.some((message) => message.kind === 'returned' && message.outcome === 'failed'));
});

test.serial('the addresses of a server are tried in order', async (t) => {
  const server = await start(t, { users: ['a@x.example'] });
  const main = startFakeMain();
  t.teardown(() => main.host.close());
  main.know(routeTo([[serverAt(server.port, 'mx.example', ['127.0.0.9', '127.0.0.1'])]]));
  t.deepEqual(kinds(await main.ask(['a@x.example'])), ['valid']);
});

test.serial(
  'a flush beats a probe in flight: its answer is told but not kept, and who asks later gets one of its own',
  async (t) => {
    const gate = Promise.withResolvers<string>();
    const { main, server } = await startBench(t, { on: { RCPT: () => gate.promise } });
    const asked = main.ask(['a@x.example']);
    await main.hears(({ kind }) => kind === 'borrow');
    t.deepEqual(await main.question({ kind: 'flush', what: { kind: 'all' } }), { kind: 'flushed', entries: 0 });
    const later = main.ask(['a@x.example']);
    gate.resolve('250 Ok');
    t.deepEqual(kinds([...(await asked), ...(await later)]), ['valid', 'valid']);
    t.is(server.asked.length, 2);
    t.like(await main.ask(['a@x.example']), [{ kind: 'valid', source: 'cache' }]);
  },
);

test.serial('the next address of a server is tried once the last one has let go of its connection', async (t) => {
  const first = await start(t, { host: '127.0.0.2', on: { connect: () => '554 5.7.1 No' } });
  let open = -1;
  const connect = () => {
    open = first.open();
    return '220 fake.example';
  };
  await start(t, { port: first.port, users: ['a@x.example'], on: { connect } });
  const main = startFakeMain();
  t.teardown(() => main.host.close());
  main.know(routeTo([[serverAt(first.port, 'mx.example', ['127.0.0.2', '127.0.0.1'])]]));
  t.deepEqual(kinds(await main.ask(['a@x.example'])), ['valid']);
  t.is(open, 0);
});

test.serial('what was asked before a flush is not cached after it', async (t) => {
  const gate = Promise.withResolvers<string>();
  const { main } = await startBench(t, { on: { RCPT: () => gate.promise } });
  const asked = main.ask(['a@x.example']);
  await main.hears(({ kind }) => kind === 'borrow');
  await main.question({ kind: 'flush', what: { kind: 'all' } });
  gate.resolve('250 Ok');
  await asked;
  t.like(await main.ask(['a@x.example']), [{ kind: 'valid', source: 'server' }]);
});

test.serial('what a delivery told is learnt', async (t) => {
  const { main, server } = await startBench(t);
  main.send({
    kind: 'learn',
    destination: 1,
    recipient: 'a@x.example',
    verdict: { kind: 'valid', source: 'delivery', server: `mx.example:${server.port}` },
  });
  t.like(await main.ask(['a@x.example']), [{ kind: 'valid', source: 'cache' }]);
  t.is(server.sessions.length, 0);
});

test.serial('a yes of a backup or of a stranger is not learnt from a delivery, a no is', async (t) => {
  const { main } = await startBench(t, { users: [] });
  const told = { source: 'delivery', server: 'backup.example:25' } as const;
  main.send({ kind: 'learn', destination: 1, recipient: 'a@x.example', verdict: { kind: 'valid', ...told } });
  const reply = { code: 550, enhanced: '5.1.1', text: 'No' };
  main.send({
    kind: 'learn',
    destination: 1,
    recipient: 'b@x.example',
    verdict: { kind: 'unknown', ...told, reply, ref: '' },
  });
  t.like(await main.ask(['a@x.example', 'b@x.example']), [
    { kind: 'unknown', source: 'server' },
    { kind: 'unknown', source: 'cache' },
  ]);
});

test.serial('a session is replaced after its recipients, with QUIT', async (t) => {
  const { main, server } = await startBench(
    t,
    { on: { RCPT: () => '250 Ok' } },
    { maxRecipientsPerSession: 3, maxConnectionsPerServer: 1 },
  );
  await main.ask(Array.from({ length: 7 }, (_, i) => `user${i}@x.example`));
  t.deepEqual(
    server.sessions.map(({ rcpts }) => rcpts),
    [3, 3, 1],
  );
  t.is(server.sessions[0]?.lines.at(-1), 'QUIT');
  t.is(server.mostOpen(), 1);
});

test.serial('a session is replaced after its rejections', async (t) => {
  const { main, server } = await startBench(t, {}, { maxRejectionsPerSession: 2, maxConnectionsPerServer: 1 });
  for (let i = 0; i < 5; i++) await main.ask([`user${i}@x.example`]);
  t.deepEqual(
    server.sessions.map(({ rcpts }) => rcpts),
    [2, 2, 1],
  );
});

test.serial('an idle session ends with QUIT, and its permit goes back', async (t) => {
  const { main, server } = await startBench(t, {}, { sessionIdleMs: 30 });
  await main.ask(['a@x.example']);
  t.deepEqual(await main.hears(({ kind }) => kind === 'returned'), {
    kind: 'returned',
    loan: `corp mx.example:${server.port}`,
    outcome: 'closed',
  });
  t.is(server.sessions[0]?.lines.at(-1), 'QUIT');
  t.is(server.open(), 0);
});

test.serial('an idle connection is recalled for another destination with the same server', async (t) => {
  const { main, server } = await startBench(t, {}, {}, { permits: 1 });
  await main.ask(['a@x.example']);
  main.know({ ...routeTo([[serverAt(server.port)]]), key: 'other' }, 2);
  t.deepEqual(kinds(await main.ask(['b@x.example'], { destination: 2 })), ['unknown']);
  t.is(server.sessions[0]?.lines.at(-1), 'QUIT');
  t.is(server.mostOpen(), 1);
});

test.serial('a fresh session can be had when there is but one permit', async (t) => {
  const { main, server } = await startBench(
    t,
    { users: ['a@x.example'] },
    { maxConnectionsPerServer: 1 },
    { permits: 1 },
  );
  t.deepEqual(kinds(await main.ask(['a@x.example', 'b@x.example', 'c@x.example'])), ['valid', 'unknown', 'unknown']);
  t.is(server.mostOpen(), 1);
});

test.serial('a permit is answered for at the first reply to a RCPT, and only then', async (t) => {
  const { main, loan } = await startBench(t, { users: ['a@x.example'] }, { mailFrom: 'gw@gateway.example' });
  await main.ask(['a@x.example', 'b@x.example']);
  await main.ask(['c@x.example']);
  t.deepEqual(
    main.told.filter(({ kind }) => kind === 'answered'),
    [{ kind: 'answered', loan }],
  );
  const refusing = await startBench(t, { on: { MAIL: () => '550 5.7.1 No', RCPT: () => '503 5.5.1 No' } });
  const returned = refusing.main.hears(({ kind }) => kind === 'returned');
  await refusing.main.ask(['a@x.example']);
  t.like(await returned, { outcome: 'failed' });
  t.false(refusing.main.told.some(({ kind }) => kind === 'answered'));
});

test.serial('a newer route gives new sessions new addresses and settings, and keeps the cache', async (t) => {
  const { main, server } = await startBench(t, { users: ['a@x.example', 'b@x.example'] }, { sessionIdleMs: 1 });
  const returned = main.hears(({ kind }) => kind === 'returned');
  await main.ask(['a@x.example']);
  await returned;
  const route = routeTo([[serverAt(server.port)]], { heloName: 'new.example' });
  main.know({ ...route, generation: 2 });
  main.know({ ...route, generation: 1, probe: { ...route.probe, heloName: 'old.example' } });
  t.like(await main.ask(['a@x.example', 'b@x.example']), [{ source: 'cache' }, { kind: 'valid', source: 'server' }]);
  t.is(server.sessions[1]?.lines[0], 'EHLO new.example');
});

const brokenTimes = (times: number): Connect => {
  const real = createConnect(() => performance.now());
  let left = times;
  return (target, settings) => {
    if (left-- > 0) throw new Error('a broken program');
    return real(target, settings);
  };
};

test.serial('an actor that throws is built again, and its waiting are asked again', async (t) => {
  const { main } = await startBench(t, { users: ['a@x.example'] }, {}, { connect: brokenTimes(1), permits: 1 });
  t.deepEqual(kinds(await main.ask(['a@x.example', 'b@x.example'])), ['valid', 'unknown']);
  t.like(
    main.told.filter(({ kind }) => kind === 'crash'),
    [{ kind: 'crash', destination: 1 }],
  );
});

test.serial('who waited for an actor that threw twice is told overload, and the next one is asked', async (t) => {
  const { main } = await startBench(t, { users: ['b@x.example'] }, {}, { connect: brokenTimes(2), permits: 1 });
  t.like(await main.ask(['a@x.example']), [{ kind: 'failed', cause: 'overload' }]);
  t.deepEqual(kinds(await main.ask(['b@x.example'])), ['valid']);
  t.deepEqual(main.unasked, []);
});

test.serial('a forgotten destination closes its sessions and returns its permits', async (t) => {
  const { main, server } = await startBench(t, {});
  await main.ask(['a@x.example']);
  const returned = main.hears(({ kind }) => kind === 'returned');
  main.send({ kind: 'forget', destination: 1 });
  await returned;
  t.is(server.sessions[0]?.lines.at(-1), 'QUIT');
  t.is(main.out(), 0);
  t.like(await main.ask(['a@x.example']), [{ kind: 'failed', cause: 'overload' }]);
});

test.serial('a drain says QUIT to every server and then that it is done', async (t) => {
  const gate = Promise.withResolvers<string>();
  const { main, server } = await startBench(t, { on: { RCPT: () => gate.promise } });
  const asked = main.ask(['a@x.example']);
  await main.hears(({ kind }) => kind === 'borrow');
  const drained = main.hears(({ kind }) => kind === 'drained');
  main.send({ kind: 'drain', deadlineMs: performance.now() + 2000 });
  gate.resolve('250 Ok');
  t.deepEqual(kinds(await asked), ['valid']);
  await drained;
  t.is(server.sessions[0]?.lines.at(-1), 'QUIT');
  t.is(main.out(), 0);
});

test.serial('a drain that takes too long ends everything, and nobody is left without a verdict', async (t) => {
  const { main } = await startBench(t, { on: { RCPT: () => ({ kind: 'silent' }) } });
  const asked = main.ask(['a@x.example']);
  await main.hears(({ kind }) => kind === 'borrow');
  const drained = main.hears(({ kind }) => kind === 'drained');
  main.send({ kind: 'drain', deadlineMs: performance.now() + 100 });
  t.like(await asked, [{ kind: 'failed', cause: 'overload' }]);
  await drained;
  t.is(main.out(), 0);
});

test.serial('a report tells what waits and how the sessions stand', async (t) => {
  const { main } = await startBench(t, { users: ['a@x.example'] });
  await main.ask(['a@x.example', 'b@x.example']);
  const answer = await main.question({ kind: 'report' });
  t.like(answer, {
    kind: 'report',
    report: {
      destinations: [{ key: 'corp mx.example', waiting: 0, asking: 0 }],
      caches: [{ profile: 'corp', positive: 1, negative: 1 }],
    },
  });
  t.like(await main.question({ kind: 'lookup', recipient: 'a@x.example' }), {
    kind: 'found',
    entries: [{ recipient: 'a@x.example', destination: 'corp mx.example' }],
  });
});

test.serial('whose time is over before any server was asked is told so', async (t) => {
  const { main, server } = await startBench(t);
  t.like(await main.ask(['a@x.example'], { budgetMs: -1 }), [{ kind: 'failed', cause: 'timeout' }]);
  t.is(server.sessions.length, 0);
});

test.serial('verdicts and what servers said are counted, and each of them once', async (t) => {
  const { main, server } = await startBench(t, { users: ['a@x.example'] });
  await main.ask(['a@x.example', 'b@x.example']);
  await main.ask(['a@x.example']);
  const [counts] = main.host.counts();
  t.like(counts, { destination: 1, verdicts: { valid: 2, unknown: 1, failed: 0 }, cached: 1 });
  t.like(counts?.servers, [{ server: `mx.example:${server.port}`, probes: { valid: 1, unknown: 1 } }]);
  t.deepEqual(main.host.counts(), []);
});

test.serial('of two equal servers a slow one gets what it can answer, and gathers no connections', async (t) => {
  const gate = Promise.withResolvers<string>();
  const slow = await start(t, { on: { RCPT: () => gate.promise } });
  const quick = await start(t, { on: { RCPT: () => '250 2.1.5 Ok' } });
  const main = startMain(t, [[slow, quick]]);
  const first = main.ask(['first@x.example']);
  await until(() => slow.asked.length > 0);
  for (let i = 0; i < 20; i++) t.like(await main.ask([`user${i}@x.example`]), [{ kind: 'valid' }]);
  t.is(slow.asked.length, 1);
  t.is(slow.sessions.length, 1);
  t.is(quick.asked.length, 20);
  gate.resolve('250 2.1.5 Ok');
  t.like(await first, [{ kind: 'valid' }]);
});
