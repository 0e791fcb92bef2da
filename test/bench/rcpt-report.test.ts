import test from 'ava';
import type { Measured } from '../../bench/support/children.ts';
import { BASE, CELLS, draw, report } from '../../bench/support/rcpt-report.ts';

function measured(rate: number): Measured {
  return {
    answered: rate,
    accepted: rate,
    deferred: 0,
    refused: 0,
    turnedAway: 0,
    broken: 0,
    seconds: 1,
    cpuSeconds: 0.5,
    p50Ms: 1,
    p99Ms: 2,
    lastP50Ms: 2,
    turnedAwayP99Ms: Number.NaN,
    rate,
    cpuUs: 10,
    megabytes: 100,
  };
}

const rounds = (...rates: number[]) => new Map(CELLS.map((cell) => [cell, rates.map(measured)]));

test('ratios are taken within each round, so that a busy moment disturbs none', (t) => {
  const text = report(
    new Map([
      [BASE, rounds(100, 10, 1_000)],
      ['callahead, cached', rounds(300, 30, 3_000)],
    ]),
  );
  t.regex(text, /^\| callahead, cached \| 300 \| 3\.00 \|/m);
});

test('a contender that was met once is compared to the median', (t) => {
  const text = report(
    new Map([
      [BASE, rounds(100, 10, 1_000)],
      ['Postfix, never seen', rounds(50)],
    ]),
  );
  t.regex(text, /^\| Postfix, never seen \| 50\.0 \| 0\.50 \|/m);
});

test('the targets say whether they are reached, and no for who took no part', (t) => {
  const text = report(
    new Map([
      [BASE, rounds(100)],
      ['callahead, cached', rounds(250)],
    ]),
  );
  t.regex(text, /^\| callahead, cached, 100 a session \| ≥ 2\.0 \| 3\.0 \| 2\.50 \| yes \|$/m);
  t.regex(text, /^\| callahead, never seen, 100 a session .* no \|$/m);
});

test('the chart has a bar for each contender in each pipelined cell', (t) => {
  const svg = draw(
    new Map([
      [BASE, rounds(100)],
      ['callahead, cached', rounds(250)],
    ]),
    'note',
  );
  t.is(svg.match(/<rect/g)?.length, 4);
});
