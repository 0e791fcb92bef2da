import { createHistogram, type DestinationCounts, noVerdicts, observe } from '@callahead/core';
import test from 'ava';
import { createTallies } from '../../packages/workers/src/totals.ts';
import { routeTo } from '../support/routes.ts';

function counted(destination: number, valid: number, server = 'mx.example:25'): DestinationCounts {
  const took = createHistogram();
  for (let i = 0; i < valid; i++) observe(took, 0.1);
  const verdicts = { ...noVerdicts(), valid };
  return { destination, verdicts, cached: 1, refreshed: 3, stale: 2, servers: [{ server, probes: verdicts, took }] };
}

function setUp() {
  const tallies = createTallies({
    routeOf: (number) => (number < 1_000 ? routeTo([25], {}, { key: `destination ${number}` }) : null),
    now: () => 0,
  });
  const add = (thread: number, ...destinations: DestinationCounts[]): void =>
    tallies.add(thread, { kind: 'counts', destinations, heapBytes: 1_000, lagMs: 2 });
  return { tallies, add };
}

test('what threads have counted of one destination is summed up', (t) => {
  const { tallies, add } = setUp();
  add(0, counted(1, 5));
  add(1, counted(1, 7));
  const { destinations, servers } = tallies.totals();
  t.like(destinations, [
    { profile: 'corp', destination: 'destination 1', verdicts: { valid: 12 }, cached: 2, refreshed: 6, stale: 4 },
  ]);
  t.like(servers, [{ profile: 'corp', server: 'mx.example:25', probes: { valid: 12 }, took: { sumSeconds: 1.2 } }]);
});

test('the number of names is bounded, and nothing is lost', (t) => {
  const { tallies, add } = setUp();
  for (let i = 0; i < 500; i++) add(0, counted(i, 2, `mx${i}.example:25`));
  const { destinations, servers } = tallies.totals();
  t.is(destinations.length, 101);
  t.is(servers.length, 201);
  t.is(destinations.at(-1)?.destination, 'other');
  t.is(
    destinations.reduce((sum, { verdicts }) => sum + verdicts.valid, 0),
    1_000,
  );
});

test('what is about a destination that is forgotten is dropped', (t) => {
  const { tallies, add } = setUp();
  add(0, counted(1_000, 5));
  t.deepEqual(tallies.totals(), { destinations: [], servers: [] });
});

test('a thread that died has no vitals any more', (t) => {
  const { tallies, add } = setUp();
  add(0);
  add(1);
  tallies.lost(0);
  t.deepEqual(tallies.vitals(), [{ thread: 1, heapBytes: 1_000, lagMs: 2 }]);
});
