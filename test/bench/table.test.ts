import test from 'ava';
import { table } from '../../bench/support/table.ts';

test('a table has text on the left and figures on the right', (t) => {
  t.is(table(['who', 'RCPT/s'], [['us', '1,000']]), '| who | RCPT/s |\n|---|---:|\n| us | 1,000 |');
});

test('a bar in a cell does not end it', (t) => {
  t.true(table(['a'], [['b|c']]).endsWith('| b\\|c |'));
});
