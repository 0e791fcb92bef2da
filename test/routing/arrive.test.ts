import { type IpFamily, type Probe, type Profile, type Step, serverName } from '@callahead/core';
import type { Hops } from '@callahead/routing';
import test from 'ava';
import { createAskStage, createDeliverStage } from '../../packages/routing/src/arrive.ts';
import { createDestinations } from '../../packages/routing/src/destinations.ts';
import { createDns } from '../../packages/routing/src/dns.ts';
import { resolveNamed } from '../../packages/routing/src/named-hosts.ts';
import { resolveDomain } from '../../packages/routing/src/own-domain.ts';
import { testStage } from '../contract/stage.ts';
import { startFakeDns } from '../support/fake-dns.ts';
import { deliveryOf, dnsSettings, hopTo, profileOf, requestFor, routeOf, summary } from '../support/routing.ts';
import { lookupIn, type Table } from '../support/table-dns.ts';

const now = (): number => performance.now();

function at(domain: string): Hops {
  return {
    kind: 'hops',
    recipient: requestFor(`anna@${domain}`).recipient,
    named: 'recipient',
    hops: [hopTo(domain)],
  };
}

function destinationsIn(table: Table, asked: string[] = []): ReturnType<typeof createDestinations> {
  const lookup = lookupIn(table, { asked });
  return createDestinations(
    (hops) => resolveDomain(hops.hops[0] ?? hopTo(''), lookup),
    lookup.dns,
    () => 0,
  );
}

const TABLE: Table = {
  'MX example.com': ['10 a.example', '20 b.example'],
  'A a.example': ['192.0.2.1'],
  'A b.example': ['192.0.2.2'],
  'MX other.example': ['10 a.example', '20 b.example'],
};

testStage(test, 'dns', async () => {
  const zone = await startFakeDns({
    'example.com': [{ type: 'MX', data: [10, 'mx.example.com'] }],
    'mx.example.com': [{ type: 'A', data: '192.0.2.1' }],
  });
  const dns = createDns(dnsSettings(zone.at, { timeoutMs: 5_000 }), now);
  const lookup = lookupIn({}, { dns, now });
  const destinations = createDestinations((hops) => resolveDomain(hops.hops[0] ?? hopTo(''), lookup), dns, now);
  return {
    stage: createAskStage(destinations, 1, now),
    at: at('example.com'),
    request: requestFor('anna@example.com'),
    silence: () => {
      zone.zone['example.com'] = 'silent';
    },
    questions: () => zone.asked.length,
    async close() {
      dns.close();
      await zone.stop();
    },
  };
});

test('the key of a route is its profile with the names and ports in order, and no address', async (t) => {
  const stage = createAskStage(destinationsIn(TABLE), 7, now);
  const routing = await stage(at('example.com'), requestFor('anna@example.com', { profile: profileOf(null, 'corp') }));
  t.like(routing, {
    route: { key: 'corp mx a.example:25;b.example:25', generation: 7, profile: 'corp', within: 'shuffle' },
  });
});

test('a route stays the same object, for every recipient and domain that it serves, one for each profile', async (t) => {
  const stage = createAskStage(destinationsIn(TABLE), 1, now);
  const found = async (domain: string, profile: string): Promise<unknown> => {
    const routing = await stage(at(domain), requestFor(`anna@${domain}`, { profile: profileOf(null, profile) }));
    return routeOf(routing);
  };
  const route = await found('example.com', 'corp');
  t.is(await found('example.com', 'corp'), route);
  t.is(await found('other.example', 'corp'), route);
  t.not(await found('example.com', 'branch'), route);
});

test('a delivery route has no profile and no probe, and is the same object too', async (t) => {
  const stage = createDeliverStage(destinationsIn(TABLE), 1, now);
  const first = await stage(at('example.com'), deliveryOf('anna@example.com'));
  const second = await stage(at('other.example'), deliveryOf('bob@other.example'));
  t.is(routeOf(first), routeOf(second));
  t.deepEqual(Object.keys(routeOf(first)), ['key', 'generation', 'tiers', 'within', 'protocol']);
});

test('where the budget ends before the DNS answers the DNS has failed', async (t) => {
  const stage = createAskStage(destinationsIn({ 'MX example.com': 'never' }), 1, now);
  const routing = await stage(at('example.com'), requestFor('anna@example.com', { withinMs: 20 }));
  t.is(summary(routing), 'failed dns');
});

test('an answer from memory is no promise, even past the deadline', async (t) => {
  const stage = createAskStage(destinationsIn(TABLE), 1, now);
  await stage(at('example.com'), requestFor('anna@example.com'));
  const routing = stage(at('example.com'), requestFor('anna@example.com', { withinMs: -1 }));
  t.false(routing instanceof Promise);
  t.like(routing, { kind: 'ask' });
});

test('the step says which servers and addresses were found, from memory too, or why none', async (t) => {
  const stage = createAskStage(destinationsIn(TABLE), 1, now);
  const steps: Step[] = [];
  const recorder = (step: Step): number => steps.push(step);
  await stage(at('example.com'), requestFor('anna@example.com', { recorder }));
  await stage(at('example.com'), requestFor('anna@example.com', { recorder }));
  await stage(at('none.example'), requestFor('anna@none.example', { recorder }));
  const hosts = (domain: string): string => `${domain}:25 (port: default; MX, then address)`;
  const facts = {
    hosts: hosts('example.com'),
    route: 'corp mx a.example:25;b.example:25',
    order: 'shuffle',
    servers: 'a.example:25 (192.0.2.1); b.example:25 (192.0.2.2)',
  };
  t.deepEqual(
    steps.map((step) => step.facts),
    [facts, facts, { hosts: hosts('none.example'), verdict: 'unknown', reply: '550 5.1.2 The domain does not exist' }],
  );
});

const BOTH: Table = {
  'MX example.com': ['10 a.example', '20 b.example'],
  'A a.example': ['192.0.2.1'],
  'AAAA a.example': ['2001:db8::1'],
  'A b.example': ['192.0.2.2'],
};

function profileWith(probe: Partial<Probe>): Profile {
  const profile = profileOf(null, JSON.stringify(probe));
  return { ...profile, probe: { ...profile.probe, ...probe } };
}

async function asked(table: Table, probe: Partial<Probe>): Promise<string> {
  const stage = createAskStage(destinationsIn(table), 1, now);
  return summary(await stage(at('example.com'), requestFor('anna@example.com', { profile: profileWith(probe) })));
}

test('addresses of another family than the profile wants are none, and a tier that has no other keeps its place', async (t) => {
  t.is(await asked(BOTH, {}), '192.0.2.1 2001:db8::1; 192.0.2.2');
  t.is(await asked(BOTH, { ipFamily: 4 }), '192.0.2.1; 192.0.2.2');
  t.is(await asked(BOTH, { ipFamily: 6 }), '2001:db8::1; ');
  t.is(await asked(TABLE, { ipFamily: 6 }), 'failed no-route');
});

test('what one profile drops the others keep', async (t) => {
  const stage = createAskStage(destinationsIn(BOTH), 1, now);
  const found = async (ipFamily: IpFamily): Promise<string> =>
    summary(await stage(at('example.com'), requestFor('anna@example.com', { profile: profileWith({ ipFamily }) })));
  t.deepEqual(
    [await found(6), await found(4), await found('any')],
    ['2001:db8::1; ', '192.0.2.1; 192.0.2.2', '192.0.2.1 2001:db8::1; 192.0.2.2'],
  );
});

test('a host without a port is asked on port 24 by LMTP, one with a port on that', async (t) => {
  const lookup = lookupIn({ 'A a.corp': ['192.0.2.1'], 'A b.corp': ['192.0.2.2'] });
  const destinations = createDestinations((hops) => resolveNamed(hops.hops, lookup), lookup.dns, now);
  const hops = [hopTo('a.corp'), hopTo('b.corp', 2525), hopTo('/run/lmtp', null, 'unix')];
  const named: Hops = { ...at('example.com'), named: 'profile', hops };
  const request = requestFor('anna@example.com', { profile: profileWith({ protocol: 'lmtp' }) });

  const asking = routeOf(await createAskStage(destinations, 1, now)(named, request));
  t.deepEqual(asking.tiers.flat().map(serverName), ['a.corp:24', 'b.corp:2525', 'unix:/run/lmtp']);
  const deliver = createDeliverStage(destinations, 1, now);
  const delivering = routeOf(await deliver(named, request));
  t.like(delivering, { protocol: 'lmtp', key: 'lmtp to a.corp:24,b.corp:2525,unix:/run/lmtp' });
  t.is(routeOf(await deliver(named, request)), delivering, 'the same object');
});

test('a host that a directory or a route named gets its mail by SMTP, whatever the profile speaks', async (t) => {
  const lookup = lookupIn({ 'A a.corp': ['192.0.2.1'] });
  const destinations = createDestinations((hops) => resolveNamed(hops.hops, lookup), lookup.dns, now);
  const named: Hops = { ...at('example.com'), named: 'operator', hops: [hopTo('a.corp')] };
  const request = requestFor('anna@example.com', { profile: profileWith({ protocol: 'lmtp' }) });
  const route = routeOf(await createDeliverStage(destinations, 1, now)(named, request));
  t.like(route, { protocol: 'smtp', key: 'to a.corp:25' });
});
