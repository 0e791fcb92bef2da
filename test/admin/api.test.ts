import test from 'ava';
import { fakeGateway, openApp, recipientEvent } from '../support/admin.ts';

const NOT_RIGHT = (field: string, value: string | null, expected: string) => ({
  error: { kind: 'bad-request', field, value, expected },
});

test('the process is healthy while it answers, and ready while it takes sessions', async (t) => {
  const { get } = openApp(t);
  t.like(await get('/healthz'), { status: 200, json: { status: 'ok' } });
  t.like(await get('/readyz'), { status: 200, json: { status: 'ready' } });
  const stopping = openApp(t, fakeGateway({ state: () => 'stopping' }));
  t.like(await stopping.get('/readyz'), { status: 503, json: { status: 'stopping' } });
  t.like(await stopping.get('/healthz'), { status: 200 });
});

test('the status has everything that the page shows', async (t) => {
  const { get, observe, pass } = openApp(t);
  observe(recipientEvent());
  pass(2_000);
  const { status, json } = await get('/api/v1/status');
  t.is(status, 200);
  t.like(json, {
    hostname: 'mx1.gateway.example',
    version: '1.2.3',
    startedAt: '2026-11-24T00:00:01.000Z',
    uptimeSeconds: 2,
    state: 'ready',
    listeners: [{ name: 'inbound', sockets: ['127.0.0.1:2525'], sessions: 2, sessionsTotal: 0 }],
    profiles: [{ name: 'corp', mode: 'enforce', verdicts: { unknown: 1 }, sources: { cache: 1 }, hitRatio: 1 }],
    servers: [
      {
        server: 'ex1.corp.example:25',
        breaker: 'open',
        leftAloneSeconds: 1.5,
        suspended: true,
        catchAll: false,
        probes: { valid: 8 },
      },
    ],
    destinations: [{ key: 'corp ex1.corp.example', requests: 9, waiting: 2, asking: 4, hitRatio: 3 / 9 }],
    engine: { asking: 4, waiting: 1, destinations: 1 },
    replies: { 550: 1 },
    threads: [{ thread: 'main' }, { thread: '0', heapBytes: 1_000, lagSeconds: 0.001 }, { thread: '1' }],
  });
  t.like(json.servers[0].connections, { connecting: 0, idle: 2, busy: 2, lent: 4, limit: 5, waiting: 1 });
  t.like(json.profiles[0].cache, { positive: 6, negative: 2, size: 10_000 });
  t.is(json.profiles[0].latency.p50Seconds, 0.00375);
});

test('harvest protection is told by the clients that it blocked, newest first', async (t) => {
  const { get, observe } = openApp(t);
  const crossing = { event: 'dhap.blocked', listener: 'inbound', group: 'others', policy: 'accepted' } as const;
  for (const client of ['203.0.113.7', '203.0.113.8'])
    observe({ ...crossing, client, count: 25, samples: ['a@example.com'], until: '2026-11-24T01:00:00.000Z' });
  const { dhap } = (await get('/api/v1/status')).json;
  t.is(dhap.crossings, 2);
  t.like(dhap.offenders[0], { client: '203.0.113.8', group: 'others', count: 25, samples: ['a@example.com'] });
  t.is(dhap.offenders.length, 2);
});

test('recent verdicts are newest first, and can be filtered and paged', async (t) => {
  const { get, observe } = openApp(t);
  for (let i = 1; i <= 5; i++) observe(recipientEvent({ recipient: `user${i}@example.com` }));
  observe(recipientEvent({ recipient: 'Ann@example.com', kind: 'refused', listener: 'other', server: 'b:25' }));
  const ids = async (query: string): Promise<number[]> =>
    (await get(`/api/v1/verdicts${query}`)).json.verdicts.map(({ id }: { id: number }) => id);
  t.deepEqual(await ids(''), [6, 5, 4, 3, 2, 1]);
  t.deepEqual(await ids('?limit=2&before=5'), [4, 3]);
  t.deepEqual(await ids('?kind=refused'), [6]);
  t.deepEqual(await ids('?recipient=ann@'), [6]);
  t.deepEqual(await ids('?server=b:25&listener=other'), [6]);
  t.deepEqual(await ids('?outcome=accepted'), []);
  t.like((await get('/api/v1/verdicts?limit=1')).json, {
    verdicts: [{ recipient: 'Ann@example.com', outcome: 'rejected', code: 550, ref: 'k3x9d1aa', monitor: false }],
    total: 6,
  });
  t.like(await get('/api/v1/verdicts?limit=0'), {
    status: 400,
    json: NOT_RIGHT('limit', '"0"', 'a number from 1 to 1000'),
  });
});

test('a cache entry shows its verdict, its age and what is left of it', async (t) => {
  const { get } = openApp(t);
  t.deepEqual((await get('/api/v1/cache?recipient=Ann@Example.com')).json, {
    recipient: 'Ann@example.com',
    entries: [
      {
        profile: 'corp',
        destination: 'corp ex1.corp.example',
        recipient: 'Ann@example.com',
        kind: 'unknown',
        server: 'ex1.corp.example:25',
        reply: '550 5.1.1 No such user',
        ref: 'k3x9d1aa',
        ageSeconds: 1.5,
        ttlSeconds: 298.5,
      },
    ],
  });
  t.like(await get('/api/v1/cache?recipient=ann'), {
    status: 400,
    json: NOT_RIGHT('recipient', '"ann"', 'an address, user@domain'),
  });
  t.like(await get('/api/v1/cache'), {
    status: 400,
    json: { error: { message: 'recipient: is missing: expected an address, user@domain' } },
  });
});

test('a flush says exactly what is to be forgotten', async (t) => {
  const gateway = fakeGateway();
  const { post, events } = openApp(t, gateway);
  const flush = (what: object) => post('/api/v1/cache/flush', what);
  t.like(await flush({ recipient: 'Ann@EXAMPLE.com' }), { status: 200, json: { forgotten: 2 } });
  await flush({ domain: 'Example.COM' });
  await flush({ server: 'ex1.corp.example:25' });
  await flush({ negative: true });
  await flush({ all: true });
  t.deepEqual(gateway.asked, [
    { kind: 'recipient', value: 'Ann@example.com' },
    { kind: 'domain', value: 'example.com' },
    { kind: 'server', value: 'ex1.corp.example:25' },
    { kind: 'negative' },
    { kind: 'all' },
  ]);
  t.like(events[0], { event: 'admin.acted', action: 'flush', about: 'recipient Ann@example.com' });
  t.like(await flush({}), { status: 400, json: { error: { kind: 'bad-request' } } });
  t.like(await flush({ all: true, negative: true }), { status: 400 });
  t.like(await flush({ all: false }), { status: 400, json: NOT_RIGHT('all', 'false', 'true') });
  t.like(await flush({ everything: true }), { status: 400, json: { error: { field: 'everything' } } });
  t.is(gateway.asked.length, 5);
});

test('a yes of a server that accepts everybody is marked, in the profile whose canary knows', async (t) => {
  const canary = { server: 'ex1:25', suspended: false, catchAll: true, reply: '' };
  for (const [profile, catchAll] of [
    ['corp', true],
    ['other', false],
  ] as const) {
    const gateway = fakeGateway({
      canaries: () => [{ ...canary, profile }],
      verify: async () => ({ kind: 'valid', source: 'cache', server: 'ex1:25' }),
    });
    const { post } = openApp(t, gateway);
    t.like((await post('/api/v1/verify', { recipient: 'ann@example.com', profile: 'corp' })).json, { catchAll });
  }
});

test('a recipient is verified by the profile that is named, or that of a listener', async (t) => {
  const gateway = fakeGateway();
  const { post } = openApp(t, gateway);
  const { json } = await post('/api/v1/verify', { recipient: 'nobody@example.com', listener: 'inbound' });
  t.like(json, { recipient: 'nobody@example.com', profile: 'corp', kind: 'unknown', code: 550, source: 'server' });
  t.like(json, { reply: '550 5.1.1 No such user', cause: null, ref: 'k3x9d1aa' });
  t.like((await post('/api/v1/verify', { recipient: 'ann@example.com', profile: 'corp' })).json, {
    kind: 'valid',
    code: 250,
    reply: null,
  });
  t.like((await post('/api/v1/verify', { recipient: 'ann@example.com' })).json, { profile: 'corp' });
  t.deepEqual(gateway.asked, [
    { recipient: 'nobody@example.com', profile: 'corp', listener: 'inbound' },
    { recipient: 'ann@example.com', profile: 'corp', listener: 'inbound' },
    { recipient: 'ann@example.com', profile: 'corp', listener: 'inbound' },
  ]);
  t.like(await post('/api/v1/verify', { recipient: 'ann@example.com', profile: 'nope' }), {
    status: 400,
    json: NOT_RIGHT('profile', '"nope"', 'one of corp'),
  });
});

test('a recipient is explained as the command does it', async (t) => {
  const gateway = fakeGateway();
  const { post } = openApp(t, gateway);
  const question = { recipient: 'ann@example.com', listener: 'inbound', client: '192.0.2.1', dry: true };
  t.like((await post('/api/v1/explain', question)).json, {
    ...{ recipient: 'ann@example.com', listener: 'inbound', client: '192.0.2.1', verdict: null, exit: 0 },
    reply: { code: 250, enhanced: '2.1.5', text: 'Recipient ok' },
  });
  await post('/api/v1/explain', { recipient: 'ann' });
  t.deepEqual(gateway.asked, [
    { address: 'ann@example.com', listener: 'inbound', client: '192.0.2.1', dry: true },
    { address: 'ann', listener: 'inbound', client: null, dry: false },
  ]);
  t.like(await post('/api/v1/explain', { recipient: 'a@b.example', client: 'here' }), {
    status: 400,
    json: NOT_RIGHT('client', '"here"', 'an IP address'),
  });
  t.like(await post('/api/v1/explain', { recipient: 'a@b.example', dry: 1 }), {
    json: NOT_RIGHT('dry', '1', 'true or false'),
  });
});

test('verify and explain share a ration, which time fills again', async (t) => {
  const { post, pass } = openApp(t);
  const verify = () => post('/api/v1/verify', { recipient: 'ann@example.com' });
  for (let i = 0; i < 20; i++) t.is((await verify()).status, 200);
  const refused = await verify();
  t.like(refused, { status: 429, json: { error: { kind: 'too-many' } } });
  t.is(refused.headers['retry-after'], '1');
  t.is((await post('/api/v1/explain', { recipient: 'ann@example.com' })).status, 429);
  pass(200);
  t.is((await verify()).status, 200);
});

test('the configuration is shown as it was loaded', async (t) => {
  const { get } = openApp(t);
  t.like((await get('/api/v1/configuration')).json.configuration, {
    hostname: 'mx1.gateway.example',
    drainTimeout: '30s',
  });
});

test('what cannot be answered is told in words, whatever is wrong with it', async (t) => {
  const { get, ask, post, events } = openApp(
    t,
    fakeGateway({ report: () => Promise.reject(new Error('s3cret detail')) }),
  );
  t.like(await get('/api/v2/status'), { status: 404, json: { error: { kind: 'not-found', field: null } } });
  t.like(await ask('POST', '/api/v1/status'), { status: 405, json: { error: { kind: 'method-not-allowed' } } });
  const json = { 'content-type': 'application/json' };
  t.like(await ask('POST', '/api/v1/verify', { payload: '{', headers: json }), { status: 400 });
  t.like(await ask('POST', '/api/v1/verify', { payload: '[]', headers: json }), { status: 400 });
  t.like(
    await ask('POST', '/api/v1/verify', {
      payload: 'a=b',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    }),
    {
      status: 415,
      json: { error: { kind: 'unsupported-media-type' } },
    },
  );
  t.like(await ask('POST', '/api/v1/verify', { payload: '{}', headers: { 'content-type': 'text/plain' } }), {
    status: 415,
  });
  t.like(await post('/api/v1/verify', { recipient: 'x'.repeat(20_000) }), {
    status: 413,
    json: { error: { kind: 'too-large' } },
  });
  const broken = await get('/api/v1/status');
  t.like(broken, { status: 500, json: { error: { kind: 'internal' } } });
  t.false(broken.body.includes('s3cret'));
  t.true(events.some((event) => event.event === 'admin.failed' && event.error.includes('s3cret detail')));
});

test('a reload says what has changed, and one that is refused says why', async (t) => {
  const { post, events } = openApp(t);
  t.like(await post('/api/v1/reload', { now: true }), { status: 400, json: NOT_RIGHT('now', 'true', 'no field') });
  t.deepEqual((await post('/api/v1/reload', {})).json, {
    ...{ generation: 2, opened: [], closed: [], kept: ['inbound 127.0.0.1:2525'], restart: [] },
  });
  t.like(events, [{ event: 'admin.acted', action: 'reload' }]);
  const problems = ['callahead.yaml:1:1: hostname: missing: expected a host name'];
  const refusing = openApp(t, fakeGateway({ reload: async () => ({ kind: 'refused', problems }) }));
  t.like(await refusing.post('/api/v1/reload', {}), {
    status: 409,
    json: { error: { kind: 'reload-refused', problems } },
  });
});
