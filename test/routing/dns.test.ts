import test, { type ExecutionContext } from 'ava';
import { type Answer, createDns, type Dns } from '../../packages/routing/src/dns.ts';
import { type FakeDns, type FakeZone, startFakeDns } from '../support/fake-dns.ts';
import { dnsSettings } from '../support/routing.ts';

type Open = Readonly<{ server: FakeDns; dns: Dns; pass(ms: number): void }>;

async function open(
  t: ExecutionContext,
  zone: FakeZone,
  over: Readonly<{ timeoutMs?: number; truncate?: boolean }> = {},
): Promise<Open> {
  const server = await startFakeDns(zone, { truncate: over.truncate ?? false });
  let clockMs = 1_000_000;
  const dns = createDns(dnsSettings(server.at, { timeoutMs: over.timeoutMs ?? 2_000 }), () => clockMs);
  t.teardown(async () => {
    dns.close();
    await server.stop();
  });
  return {
    server,
    dns,
    pass: (ms) => {
      clockMs += ms;
    },
  };
}

function words(answer: Answer): string {
  if (answer.kind === 'found') return answer.records.map((record) => record.value).join(' ');
  return answer.why;
}

test('an address is remembered for its TTL, no less than 5 s and no more than 1 h', async (t) => {
  const { server, dns, pass } = await open(t, {
    'short.example': [{ type: 'A', data: '192.0.2.1', ttl: 0 }],
    'plain.example': [{ type: 'A', data: '192.0.2.2', ttl: 60 }],
    'long.example': [{ type: 'A', data: '192.0.2.3', ttl: 86_400 }],
  });
  const all = ['short', 'plain', 'long'];
  const ask = async (): Promise<string[]> => {
    server.asked.length = 0;
    for (const name of all) await dns.look('A', `${name}.example`);
    return server.asked.splice(0);
  };
  t.deepEqual(await ask(), ['A short.example', 'A plain.example', 'A long.example']);
  pass(4_999);
  t.deepEqual(await ask(), []);
  pass(1);
  t.deepEqual(await ask(), ['A short.example']);
  pass(54_999);
  t.deepEqual(await ask(), ['A short.example']);
  pass(1);
  t.deepEqual(await ask(), ['A plain.example']);
  pass(3_540_000);
  t.deepEqual(await ask(), ['A short.example', 'A plain.example', 'A long.example']);
});

test('the smallest TTL of several records counts', async (t) => {
  const { dns } = await open(t, {
    'two.example': [
      { type: 'A', data: '192.0.2.1', ttl: 600 },
      { type: 'A', data: '192.0.2.2', ttl: 30 },
    ],
  });
  const answer = await dns.look('A', 'two.example');
  t.is(answer.kind === 'found' ? answer.expiresAtMs : 0, 1_030_000);
});

test('an MX answer is remembered for 60 s', async (t) => {
  const { server, dns, pass } = await open(t, {
    'example.com': [{ type: 'MX', data: [10, 'mx.example.com'], ttl: 1 }],
  });
  t.is(words(await dns.look('MX', 'example.com')), 'mx.example.com');
  pass(59_999);
  await dns.look('MX', 'example.com');
  t.is(server.asked.length, 1);
  pass(1);
  await dns.look('MX', 'example.com');
  t.is(server.asked.length, 2);
});

test('an answer from memory is no promise', async (t) => {
  const { dns } = await open(t, { 'example.com': [{ type: 'A', data: '192.0.2.1' }] });
  await dns.look('A', 'example.com');
  t.false(dns.look('A', 'example.com') instanceof Promise);
});

test('no such name, no such record, a failing server, a silent one and a refusing one are told apart', async (t) => {
  const { dns } = await open(
    t,
    { 'empty.example': [], 'broken.example': 'SERVFAIL', 'silent.example': 'silent', 'refused.example': 'REFUSED' },
    { timeoutMs: 200 },
  );
  const ends = ['none', 'empty', 'broken', 'silent', 'refused'].map((name) => dns.look('MX', `${name}.example`));
  const answers = await Promise.all(ends);
  t.deepEqual(answers.map(words), ['nxdomain', 'nodata', 'servfail', 'timeout', 'servfail']);
  t.deepEqual(
    answers.map((answer) => answer.kind),
    ['none', 'none', 'failed', 'failed', 'failed'],
  );
});

test('a name that no server can have does not exist', async (t) => {
  const { dns } = await open(t, {});
  t.is(words(await dns.look('A', `${'a'.repeat(64)}.example`)), 'nxdomain');
});

test('a null MX comes as an empty exchange', async (t) => {
  const { dns } = await open(t, { 'null.example': [{ type: 'MX', data: [0, '.'] }] });
  const answer = await dns.look('MX', 'null.example');
  t.deepEqual(answer.kind === 'found' ? answer.records : [], [{ preference: 0, value: '' }]);
});

test('an alias is followed', async (t) => {
  const { dns } = await open(t, {
    'alias.example': [{ type: 'CNAME', data: 'real.example' }],
    'real.example': [{ type: 'A', data: '192.0.2.1' }],
  });
  t.is(words(await dns.look('A', 'alias.example')), '192.0.2.1');
});

test('what does not fit a datagram is asked for over TCP', async (t) => {
  const exchanges = Array.from({ length: 50 }, (_, i) => `mx${i}.very-long-name-of-a-mail-host.example.com`);
  const { dns } = await open(
    t,
    { 'example.com': exchanges.map((name, i) => ({ type: 'MX', data: [i, name] })) },
    { truncate: true },
  );
  const answer = await dns.look('MX', 'example.com');
  t.is(answer.kind === 'found' ? answer.records.length : 0, 50);
});

test('a hundred who ask the same at once put one question', async (t) => {
  const { server, dns } = await open(t, { 'example.com': [{ type: 'A', data: '192.0.2.1' }] });
  await Promise.all(Array.from({ length: 100 }, () => dns.look('A', 'example.com')));
  t.deepEqual(server.asked, ['A example.com']);
});

test('an expired answer serves on while the name server fails, is silent or is gone, and is replaced when it is back', async (t) => {
  const { server, dns, pass } = await open(t, { 'example.com': [{ type: 'A', data: '192.0.2.1', ttl: 5 }] });
  await dns.look('A', 'example.com');
  server.zone['example.com'] = 'SERVFAIL';
  pass(5_000);
  t.is(words(await dns.look('A', 'example.com')), '192.0.2.1');
  server.zone['example.com'] = 'silent';
  pass(60_000);
  t.is(words(await dns.look('A', 'example.com')), '192.0.2.1');
  t.false(dns.look('A', 'example.com') instanceof Promise, 'a silent server is left alone for a while');
  server.zone['example.com'] = [{ type: 'A', data: '192.0.2.2', ttl: 5 }];
  pass(60_000);
  // The clock of the test ran ahead of the question that still waits.
  dns.forget('negative');
  t.is(words(await dns.look('A', 'example.com')), '192.0.2.2');
});

test('an expired answer serves on when nobody listens on the port of the name server', async (t) => {
  const { server, dns, pass } = await open(t, { 'example.com': [{ type: 'MX', data: [10, 'mx.example.com'] }] });
  await dns.look('MX', 'example.com');
  await server.stop();
  pass(60_000);
  t.is(words(await dns.look('MX', 'example.com')), 'mx.example.com');
});

test('an expired "no such name" does not serve on: a refusal for good must be of today', async (t) => {
  const { server, dns, pass } = await open(t, {});
  t.is(words(await dns.look('MX', 'new.example')), 'nxdomain');
  server.zone['new.example'] = 'SERVFAIL';
  pass(60_000);
  t.is(words(await dns.look('MX', 'new.example')), 'servfail');
});

test('a failure is not remembered', async (t) => {
  const { server, dns } = await open(t, { 'example.com': 'SERVFAIL' });
  t.is(words(await dns.look('A', 'example.com')), 'servfail');
  server.zone['example.com'] = [{ type: 'A', data: '192.0.2.1' }];
  t.is(words(await dns.look('A', 'example.com')), '192.0.2.1');
});

test('forgetting a name, the negative answers, or all asks again, and only what was forgotten', async (t) => {
  const { server, dns } = await open(t, {
    'a.example': [{ type: 'A', data: '192.0.2.1' }],
    'b.example': [{ type: 'A', data: '192.0.2.2' }],
  });
  const names = ['a.example', 'b.example', 'none.example'];
  const again = async (what: Parameters<Dns['forget']>[0]): Promise<string[]> => {
    dns.forget(what);
    server.asked.length = 0;
    for (const name of names) await dns.look('A', name);
    return server.asked.map((question) => question.slice(2));
  };
  await again('all');
  t.deepEqual(await again(['a.example']), ['a.example']);
  t.deepEqual(await again('negative'), ['none.example']);
  t.deepEqual(await again('all'), names);
});

test('an answer to a question of before a flush is not remembered', async (t) => {
  const { server, dns } = await open(t, { 'example.com': [{ type: 'A', data: '192.0.2.1' }] });
  const before = dns.look('A', 'example.com');
  dns.forget('all');
  t.is(words(await before), '192.0.2.1');
  server.zone['example.com'] = [{ type: 'A', data: '192.0.2.2' }];
  t.is(words(await dns.look('A', 'example.com')), '192.0.2.2');
});

test('closing ends the look-ups that still wait', async (t) => {
  const { server, dns } = await open(t, { 'example.com': 'silent' }, { timeoutMs: 60_000 });
  const arrived = server.arrival('A example.com');
  const waiting = dns.look('A', 'example.com');
  await arrived;
  dns.close();
  t.is((await waiting).kind, 'failed');
});
