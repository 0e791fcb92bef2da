import test from 'ava';
import { createHistory, quantile } from '../../../packages/admin/web/src/history.ts';
import { snapshot } from '../../support/snapshots.ts';

const START_MS = 1_000_000;

test('a rate is what the counters grew by in the seconds between', (t) => {
  const history = createHistory(100);
  history.add(snapshot({ valid: 100, unknown: 10, relayed: 4 }), START_MS);
  t.like(history.samples()[0], { rates: null, messages: null, hitRatio: null, sessions: 0 });
  history.add(snapshot({ valid: 130, unknown: 12, relayed: 5, sessions: 3 }), START_MS + 2_000);
  t.like(history.samples()[1], { rates: { valid: 15, unknown: 1, refused: 0 }, messages: 0.5, sessions: 3 });
});

test('the share of the cache and the percentiles are those of the last half minute, not of all time', (t) => {
  const history = createHistory(100);
  history.add(snapshot({ valid: 1_000, hits: 0, buckets: [0, 0, 1_000] }), START_MS);
  history.add(snapshot({ valid: 1_010, hits: 9, buckets: [10, 10, 1_010] }), START_MS + 1_000);
  t.like(history.samples()[1], { hitRatio: 0.9, p50: 0.005 });
  for (let second = 2; second <= 40; second++)
    history.add(snapshot({ valid: 1_010, hits: 9, buckets: [10, 10, 1_010] }), START_MS + second * 1_000);
  t.like(history.samples().at(-1), { hitRatio: null, p50: null, p99: null });
});

test('a gateway that was restarted begins anew, and nothing falls below zero', (t) => {
  const history = createHistory(100);
  history.add(snapshot({ valid: 100 }), START_MS);
  history.add(snapshot({ valid: 2, startedAt: '2026-11-24T09:00:00.000Z' }), START_MS + 1_000);
  t.deepEqual(
    history.samples().map(({ rates }) => rates),
    [null, null, null],
  );
  history.add(snapshot({ valid: 5, startedAt: '2026-11-24T09:00:00.000Z' }), START_MS + 2_000);
  t.is(history.samples().at(-1)?.rates?.valid, 3);
});

test('a gap is one, whatever was counted meanwhile', (t) => {
  const history = createHistory(100);
  history.add(snapshot({ valid: 1 }), START_MS);
  history.add(snapshot({ valid: 2 }), START_MS + 1_000);
  history.add(snapshot({ valid: 900 }), START_MS + 60_000);
  const sessions = history.samples().map((sample) => sample.sessions);
  t.deepEqual(sessions, [0, 0, null, 0]);
  t.is(history.samples().at(-1)?.rates, null);
});

test('a snapshot that comes twice in a moment counts once', (t) => {
  const history = createHistory(100);
  history.add(snapshot({ valid: 1 }), START_MS);
  history.add(snapshot({ valid: 1 }), START_MS);
  t.is(history.samples().length, 1);
});

test('a history keeps no more than it is told to', (t) => {
  const history = createHistory(10);
  for (let second = 0; second < 50; second++) history.add(snapshot({ valid: second }), START_MS + second * 1_000);
  t.is(history.samples().length, 10);
  t.is(history.samples().at(-1)?.atSeconds, START_MS / 1_000 + 49);
});

test('a percentile lies within its bucket, at the last edge beyond it, and nowhere where nothing was counted', (t) => {
  const buckets = [
    { leSeconds: 0.01, count: 10 },
    { leSeconds: 0.1, count: 20 },
    { leSeconds: null, count: 40 },
  ];
  t.is(quantile(buckets, 0.25), 0.01);
  t.is(quantile(buckets, 0.375)?.toFixed(6), '0.055000');
  t.is(quantile(buckets, 0.99), 0.1);
  t.is(quantile([{ leSeconds: null, count: 0 }], 0.5), null);
  t.is(quantile([], 0.5), null);
});
