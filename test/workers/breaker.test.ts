import test from 'ava';
import {
  answered,
  type Breaker,
  CLOSED,
  connectionsAt,
  decided,
  ended,
  failed,
} from '../../packages/workers/src/breaker.ts';

const TERMS = { failures: 2, maxPauseMs: 3_000 };
const at = (nowMs: number, others = 0, thread = 0) => ({ thread, others, nowMs });

test('so many failures in a row open it, an answer between them starts the count again', (t) => {
  const once = failed(CLOSED, at(0), TERMS);
  t.deepEqual(once, { kind: 'closed', failures: 1 });
  t.deepEqual(answered(once, 0), CLOSED);
  t.deepEqual(failed(once, at(10), TERMS), { kind: 'open', untilMs: 1_010, pauseMs: 1_000 });
});

test('while others are under way it is doubtful, until they answer, are over, or a second has passed', (t) => {
  const doubtful = failed({ kind: 'closed', failures: 1 }, at(10, 3), TERMS);
  t.deepEqual(doubtful, { kind: 'doubtful', untilMs: 1_010 });
  t.is(connectionsAt(doubtful, 20), 0);
  t.is(failed(doubtful, at(20, 1), TERMS), doubtful);
  t.is(ended(doubtful, at(20, 1), TERMS), doubtful);
  t.is(decided(doubtful, 1_009, TERMS), doubtful);
  t.deepEqual(answered(doubtful, 20), CLOSED);
  for (const over of [failed(doubtful, at(20), TERMS), ended(doubtful, at(20), TERMS), decided(doubtful, 1_010, TERMS)])
    t.is(over.kind, 'open');
});

test('a trial that fails doubles the pause up to the longest, another thread does not end it', (t) => {
  const trial: Breaker = { kind: 'half-open', trial: 1, pauseMs: 2_000 };
  t.is(failed(trial, at(0, 1, 0), TERMS), trial);
  t.is(ended(trial, at(0, 1, 0), TERMS), trial);
  t.deepEqual(failed(trial, at(0, 0, 1), TERMS), { kind: 'open', untilMs: 3_000, pauseMs: 3_000 });
  t.deepEqual(ended(trial, at(0, 0, 1), TERMS), { kind: 'half-open', trial: null, pauseMs: 2_000 });
});

test('connections of a server that answers again double each quarter of a second, and each answer adds one', (t) => {
  const back = answered({ kind: 'half-open', trial: 0, pauseMs: 1_000 }, 0);
  t.deepEqual(
    [0, 249, 250, 500, 1_000, 1_750].map((ms) => connectionsAt(back, ms)),
    [2, 2, 3, 5, 17, 129],
  );
  t.is(connectionsAt(answered(back, 100), 100), 3);
  t.is(answered(back, 2_000), CLOSED);
  t.is(failed(failed(back, at(100), TERMS), at(200), TERMS).kind, 'open');
});
