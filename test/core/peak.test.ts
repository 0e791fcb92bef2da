import { createPeak } from '@callahead/core';
import test from 'ava';

test('a peak is remembered for one window, and gone after two', (t) => {
  let nowMs = 0;
  const peak = createPeak(10_000, () => nowMs);
  peak.add(5);
  peak.add(3);
  t.is(peak.read(), 5);
  nowMs = 10_000;
  t.is(peak.read(), 5);
  peak.add(1);
  nowMs = 20_000;
  t.is(peak.read(), 1);
  nowMs = 45_000;
  t.is(peak.read(), 0);
});
