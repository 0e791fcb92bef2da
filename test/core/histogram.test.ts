import { addHistogram, countOf, createHistogram, observe, quantile, SECONDS } from '@callahead/core';
import test from 'ava';

test('what takes as long as a bound counts below it', (t) => {
  const histogram = createHistogram();
  observe(histogram, 0.005);
  observe(histogram, 0.0051);
  observe(histogram, 999);
  t.is(histogram.counts[SECONDS.indexOf(0.005)], 1);
  t.is(histogram.counts[SECONDS.indexOf(0.01)], 1);
  t.is(histogram.counts[SECONDS.length], 1);
  t.is(countOf(histogram), 3);
  t.is(histogram.sumSeconds, 999.0101);
});

test('what another one has counted is added', (t) => {
  const [into, more] = [createHistogram(), createHistogram()];
  observe(into, 0.1);
  observe(more, 0.1);
  observe(more, 2);
  addHistogram(into, more);
  t.is(countOf(into), 3);
  t.is(into.counts[SECONDS.indexOf(0.1)], 2);
});

test('a quantile lies inside the place that holds it', (t) => {
  const histogram = createHistogram();
  t.is(quantile(histogram, 0.5), null);
  for (let i = 0; i < 100; i++) observe(histogram, i < 90 ? 0.09 : 4);
  t.is(quantile(histogram, 0.45), 0.05 + 0.05 * 0.5);
  t.is(quantile(histogram, 0.95), 2.5 + 2.5 * 0.5);
  for (let i = 0; i < 900; i++) observe(histogram, 500);
  t.is(quantile(histogram, 0.99), 240);
});
