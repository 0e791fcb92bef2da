import test, { type ExecutionContext } from 'ava';
import { startNsd } from '../support/nsd.ts';
import { dnsSettings, hopTo, profileOf, requestFor, routeOf, routerWith, summary } from '../support/routing.ts';

const MANY = Array.from({ length: 30 }, (_, i) => i + 1);

const RECORDS = `
ns        A      192.0.2.53
@         MX 20  backup
@         MX 10  mx
mx        A      192.0.2.1
mx        AAAA   2001:db8::1
backup    CNAME  real
real      A      192.0.2.2
plain     A      192.0.2.3
null      MX 0   .
text      TXT    "no mail here"
local     MX 10  loopback
loopback  A      127.0.0.1
mapped    AAAA   ::ffff:127.0.0.1
gone      MX 10  missing
elsewhere MX 10  mx.outside.test.
alias     CNAME  plain
us        MX 10  first
us        MX 20  gateway
us        MX 30  mx
first     A      192.0.2.5
${MANY.map((i) => `many MX ${i} mx-with-a-long-name-so-that-it-takes-tcp-${i}\nmx-with-a-long-name-so-that-it-takes-tcp-${i} A 198.51.100.${i}`).join('\n')}
`;

type Router = ReturnType<typeof routerWith>;

async function open(t: ExecutionContext, over: Parameters<typeof routerWith>[1] = {}): Promise<Router> {
  const nsd = await startNsd('zone.test', RECORDS);
  const router = routerWith(nsd.at, { hostname: 'gateway.zone.test', dns: dnsSettings(nsd.at), ...over });
  t.teardown(async () => {
    await router.close();
    await nsd.stop();
  });
  return router;
}

test('a real name server leads every kind of domain to its servers, or to what is known about it', async (t) => {
  const router = await open(t);
  const found = async (domain: string): Promise<string> => summary(await router.toAsk(requestFor(`anna@${domain}`)));
  t.is(await found('zone.test'), '192.0.2.1 2001:db8::1; 192.0.2.2', 'MX by preference, one of them an alias');
  t.is(await found('plain.zone.test'), '192.0.2.3', 'no MX');
  t.is(await found('alias.zone.test'), '192.0.2.3', 'an alias without MX');
  t.is(await found('null.zone.test'), 'unknown 556 5.1.10');
  t.is(await found('nowhere.zone.test'), 'unknown 550 5.1.2');
  t.is(await found('text.zone.test'), 'failed no-route', 'neither MX nor address');
  t.is(await found('gone.zone.test'), 'failed dns', 'the exchange does not exist');
  t.is(await found('elsewhere.zone.test'), 'failed dns', 'the name server refuses what is not its own');
  t.is(await found('outside.test'), 'failed dns');
  t.is(await found('local.zone.test'), 'failed no-route', 'loopback');
  t.is(await found('mapped.zone.test'), 'failed no-route', 'loopback as a v4-mapped address');
  t.is(await found('us.zone.test'), '192.0.2.5', 'only what is better than us');
});

test('an answer that takes TCP comes whole, and twenty addresses of it are used', async (t) => {
  const router = await open(t);
  const { tiers } = routeOf(await router.toAsk(requestFor('anna@many.zone.test')));
  t.deepEqual(
    tiers.flat().map((server) => (server.kind === 'tcp' ? server.targets[0]?.address : '')),
    MANY.slice(0, 20).map((i) => `198.51.100.${i}`),
  );
});

test('static servers are looked up MX first, and a written name may be on this machine', async (t) => {
  const router = await open(t);
  const profile = profileOf([hopTo('loopback.zone.test', 2525), hopTo('zone.test', 2526)]);
  t.is(
    summary(await router.toAsk(requestFor('anna@null.zone.test', { profile }))),
    '127.0.0.1 192.0.2.1 2001:db8::1 192.0.2.2',
  );
});

test('when the name server is taken down, known routes serve on and others fail', async (t) => {
  const nsd = await startNsd('zone.test', RECORDS);
  let clockMs = 0;
  const router = routerWith(nsd.at, { now: () => clockMs });
  t.teardown(async () => {
    await router.close();
    await nsd.stop();
  });
  const request = () => requestFor('anna@zone.test', { now: () => clockMs });
  const route = routeOf(await router.toAsk(request()));
  await nsd.stop();
  clockMs += 3_600_000;
  t.is(routeOf(await router.toAsk(request())), route);
  t.is(summary(await router.toAsk(requestFor('anna@plain.zone.test', { now: () => clockMs }))), 'failed dns');
});
