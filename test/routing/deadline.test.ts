import test from 'ava';
import { by } from '../../packages/routing/src/deadline.ts';

const now = (): number => performance.now();

test('a value that comes in time is the value', async (t) => {
  t.is(await by(Promise.resolve('early'), now() + 60_000, now, () => 'late'), 'early');
});

test('what has not come by the deadline is late, also where the deadline is over already', async (t) => {
  const never = new Promise<string>(() => {});
  t.is(await by(never, now() + 5, now, () => 'late'), 'late');
  t.is(await by(never, now() - 1_000, now, () => 'late'), 'late');
});
