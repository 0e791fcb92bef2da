import test from 'ava';
import { threadReport } from '../../packages/workers/src/thread-report.ts';

function shard(number: number, busy: number) {
  const sessions = { connecting: 0, idle: 0, busy };
  const servers = [{ server: 'shared.example:25', connecting: 0, idle: 0, busy }];
  return { profile: 'corp', report: { key: `destination ${number}`, waiting: 1, asking: 1, sessions, servers } };
}

test('the busiest destinations stand first, the many others are one', (t) => {
  const shards = Array.from({ length: 1_000 }, (_, number) => shard(number, number % 2));
  const { destinations } = threadReport(shards, []);
  t.is(destinations.length, 201);
  t.is(destinations[0]?.sessions.busy, 1);
  t.like(destinations.at(-1), { key: 'other', waiting: 800, asking: 800, sessions: { busy: 300 } });
});

test('connections to one server are summed up over the destinations', (t) => {
  const { servers } = threadReport([shard(1, 2), shard(2, 3)], []);
  t.deepEqual(servers, [{ profile: 'corp', server: 'shared.example:25', connecting: 0, idle: 0, busy: 5 }]);
});
