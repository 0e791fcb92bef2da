import test from 'ava';
import { createShared } from '../../packages/routing/src/shared.ts';

function counted() {
  const closed: string[] = [];
  const shared = createShared(
    (settings: Readonly<{ name: string }>) => ({ name: settings.name }),
    async ({ name }) => void closed.push(name),
  );
  return { shared, closed };
}

test('equal settings share one thing, others have their own', (t) => {
  const { shared } = counted();
  const first = shared.borrow({ name: 'a' });
  t.is(shared.borrow({ name: 'a' }).thing, first.thing);
  t.not(shared.borrow({ name: 'b' }).thing, first.thing);
});

test('a thing is closed by the last who gives it back', async (t) => {
  const { shared, closed } = counted();
  const [first, second] = [shared.borrow({ name: 'a' }), shared.borrow({ name: 'a' })];
  await first.giveBack();
  t.deepEqual(closed, []);
  await second.giveBack();
  t.deepEqual(closed, ['a']);
});

test('who comes after the last has a new thing', async (t) => {
  const { shared } = counted();
  const first = shared.borrow({ name: 'a' });
  await first.giveBack();
  t.not(shared.borrow({ name: 'a' }).thing, first.thing);
});
