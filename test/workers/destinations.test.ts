import type { Route } from '@callahead/core';
import test from 'ava';
import { createDestinations, type Destination, laneOf } from '../../packages/workers/src/destinations.ts';
import { routeTo } from '../support/routes.ts';

function setUp(threads = 4, most = 3) {
  let nowMs = 0;
  const forgotten: number[] = [];
  const routes: Route[] = [];
  const destinations = createDestinations({
    threads,
    most,
    now: () => nowMs,
    onRoute: (route) => routes.push(route),
    onForget: ({ number }) => forgotten.push(number),
  });
  return {
    destinations,
    forgotten,
    routes,
    pass(ms: number) {
      nowMs += ms;
    },
  };
}

function moved(route: Route, address: string): Route {
  const targets = [{ name: '127.0.0.1', address }];
  return { ...route, tiers: [[{ kind: 'tcp', host: '127.0.0.1', port: 25, targets }]] };
}

test('equal routes are one destination, and the same targets are no news', (t) => {
  const { destinations, routes } = setUp();
  const first = destinations.find(routeTo([25]));
  const again = destinations.find(routeTo([25]));
  t.is(again, first);
  t.is(again?.version, 0);
  t.is(routes.length, 1);
});

test('of two routes with one key the newer generation counts, then the one resolved later', (t) => {
  const { destinations } = setUp();
  const route = routeTo([25], {}, { generation: 2 });
  const destination = destinations.find(route);
  const later = moved(route, '127.0.0.2');
  t.is(destinations.find(later)?.version, 1);
  t.is(destination?.route, later);
  destinations.find(routeTo([25], {}, { generation: 1 }));
  t.is(destination?.route, later);
  t.is(destination?.version, 1);
  destinations.find({ ...later, generation: 3 });
  t.is(destination?.version, 2);
});

test('a destination has as many shards as threads, never more than connections', (t) => {
  const { destinations } = setUp(4);
  t.is(destinations.find(routeTo([25], { maxConnectionsPerServer: 100 }))?.lanes.length, 4);
  const small = destinations.find(routeTo([26], { maxConnectionsPerServer: 2 }));
  t.is(new Set(small?.lanes).size, 2);
});

test('a recipient always meets the same shard, and all shards are met', (t) => {
  const { destinations } = setUp(4);
  const destination = destinations.find(routeTo([25])) as Destination;
  const met = new Set<number>();
  for (let i = 0; i < 200; i++) {
    const lane = laneOf(destination, `user${i}@corp.example`);
    t.is(laneOf(destination, `USER${i}@corp.example`), lane);
    met.add(lane);
  }
  t.is(met.size, 4);
});

test('a destination idle for ten minutes is forgotten, one that is asked is not', (t) => {
  const { destinations, forgotten, pass } = setUp();
  destinations.find(routeTo([25]));
  const busy = destinations.find(routeTo([26])) as Destination;
  busy.asking = 1;
  pass(599_999);
  destinations.sweep();
  t.deepEqual(forgotten, []);
  pass(1);
  destinations.sweep();
  t.deepEqual(forgotten, [0]);
  t.is(destinations.find(routeTo([25]))?.number, 2);
});

test('a destination whose recipients wait for a credit is not idle', (t) => {
  const { destinations, forgotten, pass } = setUp(4, 1);
  const hungry = destinations.find(routeTo([25])) as Destination;
  hungry.waiting = 1;
  t.is(destinations.find(routeTo([26])), null);
  pass(600_000);
  destinations.sweep();
  t.deepEqual(forgotten, []);
});

test('over the limit the longest idle one makes room; when none is idle there is no room', (t) => {
  const { destinations, forgotten, pass } = setUp(4, 2);
  const first = destinations.find(routeTo([25])) as Destination;
  pass(1);
  const second = destinations.find(routeTo([26])) as Destination;
  first.asking = 1;
  destinations.find(routeTo([27]));
  t.deepEqual(forgotten, [second.number]);
  const third = destinations.find(routeTo([27])) as Destination;
  third.asking = 1;
  t.is(destinations.find(routeTo([28])), null);
});

test('a newer configuration reaches every destination of its profiles, and those that older routes create later', (t) => {
  const { destinations, routes } = setUp();
  const first = destinations.find(routeTo([25]));
  const other = destinations.find(routeTo([26], {}, { profile: 'gone', key: 'gone' }));
  const { probe } = routeTo([25], { maxConnectionsPerServer: 2 });
  destinations.renew(2, { corp: probe });
  t.like(first?.route, { generation: 2, probe: { maxConnectionsPerServer: 2 } });
  t.is(first?.lanes.length, 2);
  t.is(other?.route.generation, 1);
  t.is(destinations.find(routeTo([25])), first);
  t.is(first?.route.generation, 2);
  t.like(destinations.find(routeTo([27]))?.route, { generation: 2, probe: { maxConnectionsPerServer: 2 } });
  t.is(routes.length, 3);
});
