import test from 'ava';
import { createHabits } from '../../packages/workers/src/habits.ts';

function setUp() {
  let nowMs = 1_000;
  const of = createHabits(() => nowMs);
  return {
    habits: of('corp mx.example:25'),
    other: of('corp mx2.example:25'),
    pass(ms: number) {
      nowMs += ms;
    },
  };
}

test('one rejection that takes more than a second makes a server slow to reject, for ten minutes', (t) => {
  const { habits, other, pass } = setUp();
  habits.answered(true, 1_000);
  habits.answered(false, 5_000);
  t.false(habits.rejectsSlowly());
  habits.answered(true, 1_001);
  t.true(habits.rejectsSlowly());
  t.false(other.rejectsSlowly());
  pass(599_999);
  t.true(habits.rejectsSlowly());
  pass(1);
  t.false(habits.rejectsSlowly());
});

test('ten quick rejections in a row show that a server is slow no more', (t) => {
  const { habits } = setUp();
  habits.answered(true, 2_000);
  for (let i = 0; i < 9; i++) habits.answered(true, 5);
  habits.answered(true, 2_000);
  for (let i = 0; i < 9; i++) habits.answered(true, 5);
  t.true(habits.rejectsSlowly());
  habits.answered(true, 5);
  t.false(habits.rejectsSlowly());
});
