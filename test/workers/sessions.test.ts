import test from 'ava';
import { routeTo, serverAt, startBench, startFakeMain } from '../support/fake-main.ts';
import { startFakeServer } from '../support/fake-server.ts';
import { until } from '../support/until.ts';

const many = (count: number, name = 'user'): readonly string[] =>
  Array.from({ length: count }, (_, i) => `${name}${i}@x.example`);

test('a few recipients open one connection', async (t) => {
  const { main, server } = await startBench(t);
  await main.ask(many(20));
  t.is(server.sessions.length, 1);
});

test('a big batch opens as many connections as are allowed, and is spread over them', async (t) => {
  const { main, server } = await startBench(t, { on: { RCPT: () => '250 Ok' } });
  await main.ask(many(100));
  t.is(server.sessions.length, 5);
  t.is(server.asked.length, 100);
  for (const { rcpts } of server.sessions) t.true(rcpts >= 1 && rcpts <= 40, `${rcpts}`);
});

test('no more connections than permits, whatever the profile allows', async (t) => {
  const { main, server, loan } = await startBench(t, { on: { RCPT: () => '250 Ok' } }, {}, { permits: 2 });
  await main.ask(many(100));
  t.is(server.mostOpen(), 2);
  t.is(main.mostOut.get(loan), 2);
});

test('a permit that is not needed any more goes back unused', async (t) => {
  const { main, server } = await startBench(t, { on: { RCPT: () => '250 Ok' } }, {}, { permits: 1 });
  await main.ask(many(40));
  const borrowed = main.told.filter(({ kind }) => kind === 'borrow').length;
  const returned = (): number => main.told.filter(({ kind }) => kind === 'returned').length;
  while (returned() < borrowed) await main.hears(({ kind }) => kind === 'returned');
  t.is(borrowed, 2);
  t.is(server.sessions.length, 1);
  t.is(main.out(), 0);
});

test('a busy connection that is recalled finishes its batch and then closes', async (t) => {
  const gate = Promise.withResolvers<string>();
  const { main, server, loan } = await startBench(t, { on: { RCPT: () => gate.promise } });
  const asked = main.ask(['a@x.example']);
  await main.hears(({ kind }) => kind === 'borrow');
  await until(() => server.asked.length !== 0);
  main.send({ kind: 'recall', loan });
  const returned = main.hears(({ kind }) => kind === 'returned');
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  t.is(server.open(), 1);
  gate.resolve('250 Ok');
  t.like(await asked, [{ kind: 'valid' }]);
  await returned;
  t.is(server.sessions[0]?.lines.at(-1), 'QUIT');
});

test('one more connection that is refused does not fail those whom another one serves', async (t) => {
  const { main, server } = await startBench(t, {
    on: {
      connect: ({ session }) => (session.number > 0 ? '421 4.7.0 Too many connections' : '220 fake.example'),
      RCPT: () => '250 Ok',
    },
  });
  const verdicts = await main.ask(many(100));
  t.true(verdicts.every(({ kind }) => kind === 'valid'));
  t.true(server.sessions.length > 1);
});

test('a connection that the server closes while it is idle gives its permit back', async (t) => {
  const { main, server } = await startBench(t);
  await main.ask(['a@x.example']);
  const returned = main.hears(({ kind }) => kind === 'returned');
  server.sessions[0]?.socket.end('421 4.4.2 Idle for too long\r\n');
  t.like(await returned, { outcome: 'closed' });
  t.like(await main.ask(['b@x.example']), [{ kind: 'unknown' }]);
  t.is(server.sessions.length, 2);
});

test('a session past its lifetime is not used again', async (t) => {
  let laterMs = 0;
  const { main, server } = await startBench(
    t,
    {},
    { sessionLifetimeMs: 60_000 },
    { now: () => performance.now() + laterMs },
  );
  await main.ask(['a@x.example']);
  laterMs = 60_001;
  await main.ask(['b@x.example']);
  t.is(server.sessions.length, 2);
  t.is(server.sessions[0]?.lines.at(-1), 'QUIT');
});

test('a doubted recipient that goes on to the next server does not hold up the doubted ones after it', async (t) => {
  const doubtful = await startFakeServer({
    on: {
      connect: ({ session }) => (session.number === 1 ? '421 4.3.2 Busy' : '220 fake.example'),
      RCPT: ({ session }) => (session.accepted.length > 0 ? '550 5.1.1 No such user' : '250 2.1.5 Ok'),
    },
  });
  const next = await startFakeServer();
  const main = startFakeMain();
  t.teardown(async () => {
    main.host.close();
    await Promise.all([doubtful.stop(), next.stop()]);
  });
  main.know(routeTo([[serverAt(doubtful.port, 'mx0')], [serverAt(next.port, 'mx1')]]));
  t.like(await main.ask(['a@x.example', 'b@x.example']), [
    { server: `mx0:${doubtful.port}` },
    { server: `mx1:${next.port}` },
  ]);
  t.like(await main.ask(['c@x.example', 'd@x.example']), [
    { server: `mx0:${doubtful.port}` },
    { server: `mx0:${doubtful.port}` },
  ]);
});

test('who comes while a connection is opened for somebody with little time left has all of its own', async (t) => {
  const greeting = Promise.withResolvers<string>();
  const { main, server } = await startBench(t, {
    users: ['patient@x.example'],
    on: { connect: ({ session }) => (session.number === 0 ? greeting.promise : '220 fake.example') },
  });
  const hurried = main.ask(['hurried@x.example'], { budgetMs: 300 });
  await main.hears(({ kind }) => kind === 'borrow');
  await until(() => server.sessions.length !== 0);
  const patient = main.ask(['patient@x.example']);
  t.like(await hurried, [{ kind: 'failed', cause: 'timeout' }]);
  t.like(await patient, [{ kind: 'valid' }]);
  greeting.resolve('220 fake.example');
});

test('a server that takes its time to reject gets one recipient at a time on each connection, and is forgiven', async (t) => {
  let passedMs = 0;
  let rejectionMs = 1_500;
  let connections = 1;
  let sent: number[] = [];
  let most = 0;
  const { main, server } = await startBench(
    t,
    {
      on: {
        connect({ session }) {
          session.socket.on('data', (octets) => {
            sent[session.number] = (sent[session.number] ?? 0) + octets.toString().split('RCPT TO:').length - 1;
          });
          return null;
        },
        async RCPT({ session }) {
          await until(() => server.sessions.length >= connections);
          most = Math.max(most, sent[session.number] ?? 0);
          sent[session.number] = 0;
          passedMs += rejectionMs;
          return '550 5.1.1 No such user';
        },
      },
    },
    { commandTimeoutMs: 1e9, sessionLifetimeMs: 1e9 },
    { now: () => performance.now() + passedMs },
  );
  const ask = (count: number, name: string) => main.ask(many(count, name), { budgetMs: 1e9 });
  await ask(1, 'first');
  connections = 5;
  most = 0;
  await ask(20, 'slow');
  t.is(most, 1);
  rejectionMs = 0;
  await ask(10, 'quick');
  t.is(most, 1);
  t.is(server.asked.length, 31);
  sent = [];
  await ask(60, 'again');
  t.is(most, 12);
});

test('of more than a server answers in time those who come late are told overload at once, and all others get their answer', async (t) => {
  let passedMs = 0;
  const { main, server } = await startBench(
    t,
    {
      on: {
        RCPT() {
          passedMs += 20;
          return '250 2.1.5 Ok';
        },
      },
    },
    { maxRecipientsPerTransaction: 10, commandTimeoutMs: 1e9, sessionLifetimeMs: 1e9, connectTimeoutMs: 1e9 },
    { now: () => performance.now() + passedMs, permits: 1 },
  );
  const first = main.ask(many(500, 'first'), { budgetMs: 1e6 });
  await until(() => server.asked.length >= 100);
  const second = await main.ask(many(500, 'second'), { budgetMs: 1_000 });
  const told = second.map((verdict) => (verdict.kind === 'failed' ? verdict.cause : verdict.kind));
  t.deepEqual(new Set(told), new Set(['overload']));
  t.true(server.asked.length < 500);
  t.true((await first).every(({ kind }) => kind === 'valid'));
  t.false(server.asked.some((address) => address.startsWith('second')));
  t.false(main.told.some(({ kind }) => kind === 'dialogue'));
  const third = await main.ask(many(20, 'third'), { budgetMs: 1_000_000 });
  t.true(third.every(({ kind }) => kind === 'valid'));
});
