import test from 'ava';
import { createHistory, quantile } from '../../../packages/admin/web/src/history.ts';
import { reading, readings } from '../../support/readings.ts';

const START_MS = 1_000_000;
const second = (count: number): number => START_MS + count * 1_000;

test('a rate is what the counters grew by in the seconds between', (t) => {
  const history = createHistory(100);
  history.add(readings([reading(1, second(0), { valid: 100, unknown: 10, messages: 4 })]));
  t.like(history.samples()[0], { rates: null, messages: null, hitRatio: null, sessions: 0 });
  history.add(readings([reading(2, second(2), { valid: 130, unknown: 12, messages: 5, sessions: 3 })]));
  t.like(history.samples()[1], { rates: { valid: 15, unknown: 1, refused: 0 }, messages: 0.5, sessions: 3 });
});

test('the share of the cache and the percentiles are those of the last half minute, not of all time', (t) => {
  const history = createHistory(100);
  const later = { valid: 1_010, hits: 9, took: [10, 10, 1_010] };
  history.add(readings([reading(1, second(0), { valid: 1_000, took: [0, 0, 1_000] }), reading(2, second(1), later)]));
  t.like(history.samples()[1], { hitRatio: 0.9, p50: 0.005 });
  for (let count = 2; count <= 40; count++) history.add(readings([reading(count + 1, second(count), later)]));
  t.like(history.samples().at(-1), { hitRatio: null, p50: null, p99: null });
});

test('the past is told at once, and is drawn as if it had been watched', (t) => {
  const all = [...Array(60).keys()].map((count) => reading(count + 1, second(count), { valid: count * count }));
  const watched = createHistory(100);
  for (const one of all) watched.add(readings([one]));
  const opened = createHistory(100);
  opened.add(readings(all));
  t.deepEqual(opened.samples(), watched.samples());
  t.is(opened.samples().length, 60);
  t.true((opened.samples()[59]?.rates?.valid ?? 0) > 100);
});

test('a stream that begins again brings what was missed, without a gap and without doubled points', (t) => {
  const all = [...Array(30).keys()].map((count) => reading(count + 1, second(count), { valid: count }));
  const history = createHistory(100);
  history.add(readings(all.slice(0, 10)));
  history.add(readings(all.slice(0, 29)));
  history.add(readings(all));
  t.deepEqual(
    history.samples().map(({ atSeconds }) => atSeconds),
    all.map(({ at }) => Date.parse(at) / 1_000),
  );
  t.is(history.samples().filter(({ rates }) => rates === null).length, 1, 'only the first has nothing before it');
});

test('a gateway that was restarted begins anew, and nothing falls below zero', (t) => {
  const history = createHistory(100);
  const restarted = '2026-11-24T09:00:00.000Z';
  history.add(readings([reading(9, second(0), { valid: 100 })]));
  history.add(readings([reading(1, second(1), { valid: 2 })], restarted));
  t.deepEqual(
    history.samples().map(({ rates }) => rates),
    [null, null, null],
  );
  history.add(readings([reading(1, second(1), { valid: 2 }), reading(2, second(2), { valid: 5 })], restarted));
  t.is(history.samples().at(-1)?.rates?.valid, 3);
});

test('a gap is one, whatever was counted meanwhile', (t) => {
  const history = createHistory(100);
  history.add(readings([reading(1, second(0), { valid: 1 }), reading(2, second(1), { valid: 2 })]));
  history.add(readings([reading(61, second(60), { valid: 900 })]));
  t.deepEqual(
    history.samples().map(({ sessions }) => sessions),
    [0, 0, null, 0],
  );
  t.is(history.samples().at(-1)?.rates, null);
});

test('a clock that is set back turns no line round', (t) => {
  const history = createHistory(100);
  history.add(readings([0, 1, 2, 3].map((count) => reading(count + 1, second(count), { valid: count }))));
  history.add(readings([reading(5, second(1) + 500, { valid: 4 }), reading(6, second(2) + 500, { valid: 7 })]));
  const times = history.samples().map(({ atSeconds }) => atSeconds - START_MS / 1_000);
  t.deepEqual(times, [0, 1, 1.5, 2.5]);
  t.deepEqual(
    history.samples().map(({ rates }) => rates?.valid ?? null),
    [null, 1, null, 3],
  );
});

test('a history keeps no more than it is told to', (t) => {
  const history = createHistory(10);
  for (let count = 0; count < 50; count++) history.add(readings([reading(count + 1, second(count), { valid: count })]));
  t.is(history.samples().length, 10);
  t.is(history.samples().at(-1)?.atSeconds, START_MS / 1_000 + 49);
});

test('a percentile lies within its bucket, at the last edge beyond it, and nowhere where nothing was counted', (t) => {
  const edges = [0.01, 0.1, null];
  const counts = [10, 20, 40];
  t.is(quantile(edges, counts, 0.25), 0.01);
  t.is(quantile(edges, counts, 0.375)?.toFixed(6), '0.055000');
  t.is(quantile(edges, counts, 0.99), 0.1);
  t.is(quantile(edges, [0, 0, 0], 0.5), null);
  t.is(quantile([], [], 0.5), null);
});
