import test from 'ava';
import { createWheel } from '../../packages/core/src/wheel.ts';

test('an item expires at its deadline, not before', (t) => {
  const wheel = createWheel<string>(10);
  wheel.add(100, 'ask');
  t.deepEqual(wheel.expire(99), []);
  t.deepEqual(wheel.expire(100), ['ask']);
  t.deepEqual(wheel.expire(1000), []);
});

test('a deadline between two ticks waits for the later one', (t) => {
  const wheel = createWheel<string>(10);
  wheel.add(101, 'ask');
  t.is(wheel.nextMs(), 110);
  t.deepEqual(wheel.expire(109), []);
  t.deepEqual(wheel.expire(110), ['ask']);
});

test('a deadline that is already over expires at once, though the wheel has turned past it', (t) => {
  const wheel = createWheel<string>(10);
  wheel.add(500, 'later');
  t.deepEqual(wheel.expire(500), ['later']);
  wheel.add(100, 'late');
  t.is(wheel.nextMs(), 100);
  t.deepEqual(wheel.expire(500), ['late']);
});

test('a cancelled item neither expires nor stays in memory', (t) => {
  const wheel = createWheel<string>(10);
  const spoke = wheel.add(100, 'ask');
  t.true(wheel.cancel(spoke));
  t.false(wheel.cancel(spoke));
  t.is(wheel.size(), 0);
  t.is(wheel.nextMs(), null);
  t.deepEqual(wheel.expire(1000), []);
});

test('the next deadline is the earliest that is left', (t) => {
  const wheel = createWheel<string>(10);
  const soon = wheel.add(100, 'soon');
  wheel.add(3_600_000, 'in an hour');
  t.is(wheel.nextMs(), 100);
  wheel.cancel(soon);
  t.is(wheel.nextMs(), 3_600_000);
});
