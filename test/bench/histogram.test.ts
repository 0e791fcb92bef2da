import test from 'ava';
import { createHistogram } from '../../bench/support/histogram.ts';

test('a quantile is within two per cent of what was added', (t) => {
  const histogram = createHistogram();
  for (let ms = 1; ms <= 1_000; ms++) histogram.add(ms);
  for (const [share, expected] of [
    [0.5, 500],
    [0.99, 990],
    [1, 1_000],
  ] as const) {
    const found = histogram.quantile(share);
    t.true(Math.abs(found - expected) <= expected * 0.02, `${share}: ${found}`);
  }
});

test('a histogram of nothing has no quantiles', (t) => {
  t.is(createHistogram().quantile(0.5), Number.NaN);
});

test('latencies beyond the buckets fall into the outermost', (t) => {
  const histogram = createHistogram();
  histogram.add(0);
  t.true(histogram.quantile(1) < 0.002);
  histogram.add(1e12);
  t.true(histogram.quantile(1) > 10 * 3_600_000);
});
