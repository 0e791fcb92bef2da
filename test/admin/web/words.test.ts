import test from 'ava';
import { bytes, clock, count, plural, rate, share, span, took } from '../../../packages/admin/web/src/words.ts';

test('figures are as long as they are worth', (t) => {
  t.deepEqual([0, 1_234, 99_999, 123_456, 12_345_678].map(count), ['0', '1,234', '99,999', '123.5K', '12.3M']);
  t.deepEqual([null, 0, 0.01, 0.3, 9.96, 1_200.4].map(rate), ['–', '0', '<0.1', '0.3', '10', '1,200']);
  t.deepEqual([null, 0, 0.333, 0.997, 1].map(share), ['–', '0 %', '33 %', '>99 %', '100 %']);
  t.deepEqual([12, 51_200, 1_500_000, 999_400_000, 2_500_000_000].map(bytes), [
    '12 B',
    '51 kB',
    '1.5 MB',
    '999 MB',
    '2.5 GB',
  ]);
  t.deepEqual(
    [1, 2].map((value) => plural(value, 'verdict')),
    ['1 verdict', '2 verdicts'],
  );
});

test('times are in the unit that one would say', (t) => {
  t.deepEqual([null, 0.00043, 0.0042, 0.12, 0.9996, 1.34, 150].map(took), [
    '–',
    '430 µs',
    '4.2 ms',
    '120 ms',
    '1.0 s',
    '1.3 s',
    '3 min',
  ]);
  t.deepEqual([0, 59, 60, 3_661, 273_600].map(span), ['0 s', '59 s', '1 min', '1 h 1 min', '3 d 4 h']);
  t.regex(clock('2026-11-24T08:13:32.123Z'), /^\d\d:\d\d:32$/);
});
