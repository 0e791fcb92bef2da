import test from 'ava';
import { createDeadlines } from '../../packages/workers/src/deadlines.ts';

const now = (): number => performance.now();

test('what is due runs in the order of its deadlines, never early', async (t) => {
  const deadlines = createDeadlines<() => void>(now, (run) => run());
  t.teardown(deadlines.close);
  const beganMs = now();
  const order: string[] = [];
  await new Promise<void>((resolve) => {
    deadlines.at(beganMs + 90, () => {
      order.push('later');
      resolve();
    });
    deadlines.at(beganMs + 30, () => {
      order.push('sooner');
      t.true(now() >= beganMs + 30);
    });
    deadlines.cancel(deadlines.at(beganMs + 60, () => order.push('cancelled')));
  });
  t.deepEqual(order, ['sooner', 'later']);
});

test('a deadline set by one that is due is met as well', async (t) => {
  const deadlines = createDeadlines<() => void>(now, (run) => run());
  t.teardown(deadlines.close);
  await t.notThrowsAsync(
    new Promise<void>((resolve) => deadlines.at(now() + 10, () => deadlines.at(now() + 10, resolve))),
  );
});

test('a deadline that is over runs soon, not at once', async (t) => {
  const deadlines = createDeadlines<() => void>(now, (run) => run());
  t.teardown(deadlines.close);
  let ran = false;
  const late = new Promise<void>((resolve) =>
    deadlines.at(now() - 1_000, () => {
      ran = true;
      resolve();
    }),
  );
  t.false(ran);
  await late;
  t.true(ran);
});
