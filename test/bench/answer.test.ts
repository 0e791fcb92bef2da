import test from 'ava';
import { replaceSection } from '../../bench/support/answer.ts';

test('an answer takes the place of the last one between its marks', (t) => {
  const page = 'a\n<!-- bench one -->\nold\n<!-- end of one -->\nb\n';
  t.is(replaceSection(page, 'one', 'new\n'), 'a\n<!-- bench one -->\nnew\n<!-- end of one -->\nb\n');
});

test('a page without the marks stays as it is', (t) => {
  t.is(replaceSection('text', 'one', 'new'), 'text');
  t.is(replaceSection('<!-- bench one --> without an end', 'one', 'new'), '<!-- bench one --> without an end');
});
