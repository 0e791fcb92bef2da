import type { Step } from '@callahead/core';
import test, { type ExecutionContext } from 'ava';
import { type FakeDns, type FakeZone, startFakeDns } from '../support/fake-dns.ts';
import {
  deliveryOf,
  dnsSettings,
  hopTo,
  profileOf,
  requestFor,
  routeOf,
  routerWith,
  summary,
} from '../support/routing.ts';

type Router = ReturnType<typeof routerWith>;

async function open(
  t: ExecutionContext,
  zone: FakeZone,
  over: Parameters<typeof routerWith>[1] = {},
): Promise<Readonly<{ server: FakeDns; router: Router }>> {
  const server = await startFakeDns(zone);
  const router = routerWith(server.at, over);
  t.teardown(async () => {
    await router.close();
    await server.stop();
  });
  return { server, router };
}

const ZONE: FakeZone = {
  'example.com': [
    { type: 'MX', data: [20, 'backup.example.com'] },
    { type: 'MX', data: [10, 'MX.example.com'] },
  ],
  'mx.example.com': [
    { type: 'A', data: '192.0.2.1' },
    { type: 'AAAA', data: '2001:db8::1' },
  ],
  'backup.example.com': [{ type: 'CNAME', data: 'real.example.net' }],
  'real.example.net': [{ type: 'A', data: '192.0.2.2' }],
  'plain.example': [{ type: 'A', data: '192.0.2.3' }],
  'null.example': [{ type: 'MX', data: [0, '.'] }],
  'broken.example': 'SERVFAIL',
  'local.example': [{ type: 'A', data: '127.0.0.1' }],
  'ex1.corp.example': [{ type: 'A', data: '127.0.0.1' }],
  'ex2.corp.example': [{ type: 'A', data: '192.0.2.4' }],
};

const STATIC = profileOf([
  hopTo('ex1.corp.example', 2525),
  hopTo('ex2.corp.example'),
  hopTo('127.0.0.1', 2526, 'none'),
]);

test("a delivery-host profile asks the servers of the recipient's domain, and mail is delivered to the same", async (t) => {
  const { router } = await open(t, ZONE);
  const expected = '192.0.2.1 2001:db8::1; 192.0.2.2';
  t.is(summary(await router.toAsk(requestFor('anna@example.com'))), expected);
  t.is(summary(await router.toDeliver(requestFor('anna@example.com'))), expected);
  t.is(summary(await router.toDeliver(deliveryOf('anna@example.com'))), expected);
});

test('a static profile asks its servers whatever the domain, and delivers to them', async (t) => {
  const { router, server } = await open(t, ZONE);
  const request = requestFor('anna@null.example', { profile: STATIC });
  t.is(summary(await router.toAsk(request)), '127.0.0.1 192.0.2.4 127.0.0.1');
  t.is(summary(await router.toDeliver(request)), '127.0.0.1 192.0.2.4 127.0.0.1');
  t.false(server.asked.some((question) => question.endsWith(' null.example')));
});

test("a listener without a profile delivers by the recipient's domain", async (t) => {
  const { router } = await open(t, ZONE);
  t.is(summary(await router.toDeliver(deliveryOf('anna@plain.example'))), '192.0.2.3');
});

for (const [domain, words] of Object.entries({
  'null.example': 'unknown 556 5.1.10',
  'nowhere.example': 'unknown 550 5.1.2',
  'broken.example': 'failed dns',
  'local.example': 'failed no-route',
  '[127.0.0.1]': 'failed no-route',
  '[IPv6:::ffff:7f00:1]': 'failed no-route',
  '[192.0.2.9]': '192.0.2.9',
}))
  test(`${domain} is ${words}, for the query and for the delivery`, async (t) => {
    const { router } = await open(t, ZONE);
    t.is(summary(await router.toAsk(requestFor(`anna@${domain}`))), words);
    t.is(summary(await router.toDeliver(deliveryOf(`anna@${domain}`))), words);
  });

test('allowReserved lets DNS name reserved addresses', async (t) => {
  const server = await startFakeDns(ZONE);
  const router = routerWith(server.at, { dns: dnsSettings(server.at, { allowReserved: true }) });
  t.teardown(async () => {
    await router.close();
    await server.stop();
  });
  t.is(summary(await router.toAsk(requestFor('anna@local.example'))), '127.0.0.1');
});

test('the second answer is no promise, and the very same route', async (t) => {
  const { router, server } = await open(t, ZONE);
  const first = await router.toAsk(requestFor('anna@example.com'));
  const asked = server.asked.length;
  const second = router.toAsk(requestFor('bob@example.com'));
  t.false(second instanceof Promise);
  t.is(routeOf(await second), routeOf(first));
  t.is(server.asked.length, asked);
});

test('a domain that points at one of our own sockets is a loop, with every worse server', async (t) => {
  const { router } = await open(t, ZONE, {
    listenAddresses: () => [{ host: '0.0.0.0', port: 25 }],
    interfaces: () => ['127.0.0.1', '192.0.2.1', '192.0.2.3'],
  });
  t.is(summary(await router.toAsk(requestFor('anna@example.com'))), 'failed loop');
  t.is(summary(await router.toAsk(requestFor('anna@plain.example'))), 'failed loop');
});

test('the machine is asked for its addresses once a second at most', async (t) => {
  let nowMs = 1_000;
  let asked = 0;
  const { router } = await open(t, ZONE, {
    now: () => nowMs,
    interfaces() {
      asked++;
      return ['127.0.0.1'];
    },
  });
  for (const domain of ['example.com', 'plain.example'])
    await router.toAsk(requestFor(`anna@${domain}`, { now: () => nowMs }));
  t.is(asked, 1);
  nowMs += 1_000;
  router.flush({ kind: 'all' });
  await router.toAsk(requestFor('anna@example.com', { now: () => nowMs }));
  t.is(asked, 2);
});

test('a name or an address of `self` is us, in any spelling', async (t) => {
  const named = await open(t, ZONE, { self: { names: ['backup.example.com'], addresses: [] } });
  t.is(summary(await named.router.toAsk(requestFor('anna@example.com'))), '192.0.2.1 2001:db8::1');
  const numbered = await open(t, ZONE, { self: { names: [], addresses: ['2001:DB8:0::1'] } });
  t.is(summary(await numbered.router.toAsk(requestFor('anna@example.com'))), 'failed loop');
});

test('our host name as the only exchange is a loop', async (t) => {
  const { router } = await open(
    t,
    { 'example.com': [{ type: 'MX', data: [10, 'Gateway.example'] }] },
    { hostname: 'gateway.EXAMPLE' },
  );
  t.is(summary(await router.toAsk(requestFor('anna@example.com'))), 'failed loop');
});

test("a silent name server is waited for no longer than dns.timeout, nor than the recipient's budget", async (t) => {
  const server = await startFakeDns({ 'example.com': 'silent' });
  const router = routerWith(server.at, { dns: dnsSettings(server.at, { timeoutMs: 1_000 }) });
  t.teardown(async () => {
    await router.close();
    await server.stop();
  });
  const before = performance.now();
  t.is(summary(await router.toAsk(requestFor('anna@example.com', { withinMs: 100 }))), 'failed dns');
  t.true(performance.now() - before < 900);
  t.is(summary(await router.toAsk(requestFor('anna@example.com', { withinMs: 10_000 }))), 'failed dns');
  t.true(performance.now() - before < 3_000);
});

test("the name server's recovery is seen at once", async (t) => {
  const { router, server } = await open(t, { 'example.com': 'SERVFAIL' });
  t.is(summary(await router.toAsk(requestFor('anna@example.com'))), 'failed dns');
  server.zone['example.com'] = [{ type: 'A', data: '192.0.2.1' }];
  t.is(summary(await router.toAsk(requestFor('anna@example.com'))), '192.0.2.1');
});

test('after a flush the name server is asked again', async (t) => {
  const { router, server } = await open(t, { ...ZONE });
  await router.toAsk(requestFor('anna@plain.example'));
  server.zone['plain.example'] = [{ type: 'A', data: '192.0.2.33' }];
  router.flush({ kind: 'domain', value: 'other.example' });
  t.is(summary(await router.toAsk(requestFor('anna@plain.example'))), '192.0.2.3');
  router.flush({ kind: 'domain', value: 'plain.example' });
  t.is(summary(await router.toAsk(requestFor('anna@plain.example'))), '192.0.2.33');
});

test('the steps of a recipient come in the order of the stages', async (t) => {
  const { router } = await open(t, ZONE);
  const steps: Step[] = [];
  const recorder = (step: Step): number => steps.push(step);
  await router.toAsk(requestFor('anna@example.com', { recorder, profile: STATIC }));
  t.deepEqual(
    steps.map((step) => step.stage),
    ['domain', 'static', 'dns'],
  );
  t.is(steps[1]?.facts.servers, 'ex1.corp.example:2525, ex2.corp.example (default port), 127.0.0.1:2526');
});

test('a router that breaks still answers', async (t) => {
  const { router } = await open(t, ZONE, {
    listenAddresses: () => {
      throw new Error('no listeners');
    },
  });
  t.is(summary(await router.toAsk(requestFor('anna@example.com'))), 'failed no-route');
});
