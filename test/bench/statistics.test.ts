import test from 'ava';
import { figure, median } from '../../bench/support/statistics.ts';

test('the median is a figure that was measured', (t) => {
  t.is(median([9, 1, 5]), 5);
  t.is(median([4, 1, 3, 2]), 3);
  t.is(median([]), Number.NaN);
});

test('figures have three digits that mean something', (t) => {
  t.deepEqual([0, 0.12345, 1.2345, 12.345, 123.45, 1_234_567.8].map(figure), [
    '0',
    '0.123',
    '1.23',
    '12.3',
    '123',
    '1,234,568',
  ]);
});

test('what was not measured is a dash', (t) => {
  t.deepEqual([Number.NaN, Number.POSITIVE_INFINITY, null].map(figure), ['–', '–', '–']);
});
