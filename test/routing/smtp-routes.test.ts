import type { Hop, SmtpRoute, SmtpRoutes, Step } from '@callahead/core';
import type { Hops } from '@callahead/routing';
import test from 'ava';
import { createQueryRoutesStage, createSmtpRoutesStage, findRoute } from '../../packages/routing/src/smtp-routes.ts';
import { testStage } from '../contract/stage.ts';
import { hopTo, profileOf, requestFor, routeOf, routerWith, summary } from '../support/routing.ts';

function hostsOf(...hops: readonly Hop[]): SmtpRoute {
  return { kind: 'hosts', hops };
}

const MAIL: Hop = { name: 'mail.internal', port: 2525, portFrom: 'route', lookup: 'mx', preference: 0 };
const ROUTES: SmtpRoutes = new Map<string, SmtpRoute>([
  ['example.com', hostsOf(MAIL)],
  ['.example.com', hostsOf(hopTo('sub.internal'))],
  ['.b.example.com', hostsOf(hopTo('b.internal'))],
  ['own.example.com', { kind: 'usedns' }],
  ['sink.example', { kind: 'discard' }],
]);

const request = requestFor('anna@example.com');

function at(...names: readonly string[]): Hops {
  return {
    kind: 'hops',
    recipient: request.recipient,
    named: names.length === 1 ? 'recipient' : 'operator',
    hops: names.map((name) => ({ name, port: null, portFrom: 'default', lookup: 'mx' })),
  };
}

function routed(from: Hops, routes = ROUTES): string {
  const next = createSmtpRoutesStage(routes, () => 0)(from, request);
  return next.kind === 'discard' ? 'discard' : `${next.named} ${next.hops.map((hop) => hop.name).join(' ')}`;
}

testStage(test, 'smtp-routes', async () => ({
  stage: createSmtpRoutesStage(ROUTES, () => 0),
  at: structuredClone(at('example.com')),
  request,
  silence: () => {},
  questions: () => 0,
  close: async () => {},
}));

test('the domain itself beats a suffix, the longest suffix beats a shorter one, and ALL is the last', (t) => {
  const all = new Map([...ROUTES, ['ALL', hostsOf(hopTo('all.internal'))] as const]);
  t.is(routed(at('example.com'), all), 'operator mail.internal');
  t.is(routed(at('x.example.com'), all), 'operator sub.internal');
  t.is(routed(at('x.b.example.com'), all), 'operator b.internal');
  t.is(routed(at('b.example.com'), all), 'operator sub.internal');
  t.is(routed(at('elsewhere.example'), all), 'operator all.internal');
});

test('a suffix is for sub-domains only, and a name that merely ends like it is none', (t) => {
  const routes = new Map([['.example.com', hostsOf(MAIL)]]);
  t.is(routed(at('example.com'), routes), 'recipient example.com');
  t.is(routed(at('notexample.com'), routes), 'recipient notexample.com');
});

test('no entry and USEDNS leave the host as it was', (t) => {
  const elsewhere = at('elsewhere.example');
  const own = at('own.example.com');
  t.is(createSmtpRoutesStage(ROUTES, () => 0)(elsewhere, request), elsewhere);
  t.is(createSmtpRoutesStage(ROUTES, () => 0)(own, request), own);
});

test('USEDNS holds although a wider entry names a host', (t) => {
  t.is(
    routed(at('own.example.com'), new Map([...ROUTES, ['ALL', hostsOf(MAIL)] as const])),
    'recipient own.example.com',
  );
});

test('/dev/null ends the way; of several hosts those remain that lead somewhere', (t) => {
  t.is(routed(at('sink.example')), 'discard');
  t.is(routed(at('sink.example', 'x.example.com', 'own.example.com')), 'operator sub.internal own.example.com');
});

test('what a route names is not looked for in the routes again', (t) => {
  const routes = new Map([
    ['example.com', hostsOf(hopTo('mail.internal'))],
    ['mail.internal', hostsOf(hopTo('further.internal'))],
  ]);
  t.is(routed(at('example.com'), routes), 'operator mail.internal');
});

test('a static profile has no routes for its query, and has them for its delivery', (t) => {
  const asked = requestFor('anna@example.com', { profile: profileOf([hopTo('ex1.corp')]) });
  const from = at('example.com');
  t.is(createQueryRoutesStage(ROUTES, () => 0)(from, asked), from);
  t.not(createSmtpRoutesStage(ROUTES, () => 0)(from, asked), from);
  t.not(createQueryRoutesStage(ROUTES, () => 0)(from, request), from);
});

test('explain is told the host, the entry, and the servers with where their ports come from', (t) => {
  const steps: Step[] = [];
  createSmtpRoutesStage(ROUTES, () => 7)(at('example.com'), { ...request, recorder: (step) => steps.push(step) });
  t.deepEqual(steps, [
    {
      stage: 'routes',
      atMs: 7,
      facts: {
        hosts: 'example.com',
        entries: 'example.com',
        servers: 'mail.internal:2525 (port: route; MX, then address; priority 0)',
      },
    },
  ]);
});

test('a table of 40,000 routes is looked up as fast as a small one', (t) => {
  const routes = new Map<string, SmtpRoute>(
    Array.from({ length: 40_000 }, (_, i) => [`d${i}.example`, hostsOf(MAIL)] as const),
  );
  let gets = 0;
  const counting: SmtpRoutes = Object.assign(new Map(routes), {
    get(key: string) {
      gets++;
      return routes.get(key);
    },
  });
  t.is(findRoute(counting, 'a.b.c.d39999.example'), null);
  t.is(gets, 6, 'itself, four suffixes, ALL');
});

test('priorities are tiers, lower numbers first, and equal ones take turns', async (t) => {
  const hops: readonly Hop[] = [
    { ...hopTo('192.0.2.3', 25, 'none'), preference: 20 },
    { ...hopTo('192.0.2.1', 25, 'none'), preference: 10 },
    { ...hopTo('192.0.2.2', 25, 'none'), preference: 10 },
  ];
  const router = routerWith('127.0.0.1:9', { smtpRoutes: new Map([['example.com', hostsOf(...hops)]]) });
  t.teardown(router.close);
  const routing = await router.toAsk(request);
  t.is(summary(routing), '192.0.2.1 192.0.2.2; 192.0.2.3');
  t.like(routeOf(routing), { key: 'corp to 192.0.2.1:25,192.0.2.2:25;192.0.2.3:25', within: 'rotate' });
});

test('a route by MX and one past it are two destinations, though the host has one name', async (t) => {
  const router = routerWith('127.0.0.1:9', {
    smtpRoutes: new Map([
      ['a.example', hostsOf(hopTo('localhost', 25, 'address'))],
      ['b.example', hostsOf(hopTo('localhost', 25, 'mx'))],
    ]),
    hostsFile: '/etc/hosts',
  });
  t.teardown(router.close);
  const [past, byMx] = [await router.toAsk(requestFor('x@a.example')), await router.toAsk(requestFor('x@b.example'))];
  t.is(routeOf(past).key, 'corp to [localhost]:25');
  t.is(routeOf(byMx).key, 'corp to localhost:25');
});

test('the same route is the same object while nothing changed', async (t) => {
  const router = routerWith('127.0.0.1:9', {
    smtpRoutes: new Map([['ALL', hostsOf(hopTo('192.0.2.1', 25, 'none'))]]),
  });
  t.teardown(router.close);
  const first = await router.toAsk(requestFor('x@a.example'));
  const second = router.toAsk(requestFor('y@b.example'));
  t.false(second instanceof Promise, 'what is known needs no waiting');
  t.is(routeOf(await second), routeOf(first));
});

test('the same hosts with other priorities are another destination', async (t) => {
  const [one, other] = [hopTo('192.0.2.1', 25, 'none'), hopTo('192.0.2.2', 25, 'none')];
  const router = routerWith('127.0.0.1:9', {
    smtpRoutes: new Map([
      ['a.example', hostsOf(one, other)],
      ['b.example', hostsOf(one, { ...other, preference: 10 })],
    ]),
  });
  t.teardown(router.close);
  t.is(summary(await router.toAsk(requestFor('x@a.example'))), '192.0.2.1 192.0.2.2');
  t.is(summary(await router.toAsk(requestFor('x@b.example'))), '192.0.2.1; 192.0.2.2');
});
