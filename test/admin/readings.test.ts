import test from 'ava';
import { createCounting } from '../../packages/admin/src/counting.ts';
import { createReadings, type ReadingsTold } from '../../packages/admin/src/readings.ts';
import { recipientEvent } from '../support/admin.ts';

const START_MS = Date.UTC(2026, 10, 24);
const INBOUND = { name: 'inbound', sockets: [], profile: 'corp', sessions: 2 };

function setUp() {
  let nowMs = START_MS;
  const counting = createCounting(() => nowMs);
  const readings = createReadings(START_MS, () => nowMs);
  return {
    counting,
    total: readings.total,
    since: (id: number): ReadingsTold => JSON.parse(readings.since(id)),
    take(): void {
      readings.take(counting, [INBOUND, { ...INBOUND, name: 'other', sessions: 3 }]);
      nowMs += 1_000;
    },
  };
}

test('a reading has the counters of all profiles and listeners at its moment', (t) => {
  const { counting, since, take } = setUp();
  take();
  counting.count(recipientEvent({ tookMs: 4 }));
  counting.count(recipientEvent({ profile: 'lab', kind: 'refused', source: 'server', tookMs: 700_000 }));
  counting.count({
    ...{ event: 'message.relayed', session: '', listener: 'inbound', client: '', server: '', bytes: 9 },
  } as Parameters<typeof counting.count>[0]);
  take();
  const { startedAt, leSeconds, readings: told } = since(0);
  t.is(startedAt, '2026-11-24T00:00:00.000Z');
  t.is(leSeconds.at(-1), null);
  t.like(told[0], { id: 1, at: '2026-11-24T00:00:00.000Z', hits: 0, messages: 0, sessions: 5 });
  t.like(told[1], { id: 2, at: '2026-11-24T00:00:01.000Z', hits: 1, messages: 1, sessions: 5 });
  t.deepEqual(told[1]?.verdicts, { valid: 0, unknown: 1, refused: 1, temporary: 0, failed: 0 });
  t.is(told[1]?.took[leSeconds.indexOf(0.005)], 1);
  t.is(told[1]?.took.at(-1), 2);
  t.is(told[1]?.took.length, leSeconds.length);
});

test('only those after the last one that was told are told, and no more than a quarter of an hour of them is kept', (t) => {
  const { since, total, take } = setUp();
  for (let i = 0; i < 1_000; i++) take();
  t.is(total(), 1_000);
  t.deepEqual(
    since(998).readings.map(({ id }) => id),
    [999, 1_000],
  );
  t.deepEqual(since(1_000).readings, []);
  const all = since(0).readings.map(({ id }) => id);
  t.is(all.length, 900);
  t.deepEqual([all[0], all.at(-1)], [101, 1_000]);
});
