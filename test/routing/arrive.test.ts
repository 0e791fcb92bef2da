import type { Step } from '@callahead/core';
import type { Hops } from '@callahead/routing';
import test from 'ava';
import { createAskStage, createDeliverStage } from '../../packages/routing/src/arrive.ts';
import { createDestinations } from '../../packages/routing/src/destinations.ts';
import { createDns } from '../../packages/routing/src/dns.ts';
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
  t.deepEqual(Object.keys(routeOf(first)), ['key', 'generation', 'tiers', 'within']);
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
  const facts = {
    route: 'corp mx a.example:25;b.example:25',
    order: 'shuffle',
    servers: 'a.example:25 (192.0.2.1); b.example:25 (192.0.2.2)',
  };
  t.deepEqual(
    steps.map((step) => step.facts),
    [facts, facts, { verdict: 'unknown', reply: '550 5.1.2 The domain does not exist' }],
  );
});
