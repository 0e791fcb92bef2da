import test from 'ava';
import { progressLine } from '../../../packages/cli/src/verify/progress.ts';
import { createTally, pace } from '../../../packages/cli/src/verify/tally.ts';

test('the bar shows how far it is, how fast, and how long it will take', (t) => {
  const from = { done: 0, place: 0 };
  t.is(
    progressLine({ done: 420_000, place: 4_200, total: 10_000, from, tookMs: 42_000 }),
    '████████████░░░░░░░░░░░░░░░░░░ 42%  420,000 recipients  10,000/s  58s left',
  );
});

test('what an earlier run did is on the bar, and not in the rate', (t) => {
  const from = { done: 500, place: 5_000 };
  const line = progressLine({ done: 600, place: 6_000, total: 10_000, from, tookMs: 10_000 });
  t.regex(line, / 60% {2}600 recipients {2}10\/s {2}40s left$/);
});

test('where nobody knows the total there is a rate and no time left', (t) => {
  const from = { done: 0, place: 0 };
  t.is(progressLine({ done: 5, place: 99, total: null, from, tookMs: 1_000 }), '5 recipients  5/s');
  t.notRegex(progressLine({ done: 0, place: 0, total: 10, from, tookMs: 0 }), /left|NaN|Infinity/);
});

test('the exit code is the worst that was met, 3 over 1 over 0', (t) => {
  const tally = createTally();
  t.is(tally.exit(), 0);
  tally.add('valid');
  t.is(tally.exit(), 0);
  tally.add('temporary');
  tally.add('invalid');
  t.is(tally.exit(), 3);
  t.is(tally.words(), '3 recipients: 1 valid, 1 temporary, 1 invalid');
  t.is(pace(1_500, 500, 125_000), '2m 05s, 8 a second, 500 of them by an earlier run');
});
