import test from 'ava';
import { createCredits } from '../../packages/workers/src/credits.ts';
import type { Destination } from '../../packages/workers/src/destinations.ts';
import { routeTo } from '../support/routes.ts';

function destination(number: number): Destination {
  return { number, route: routeTo([number]), version: 0, lanes: [0], asking: 0, waiting: 0, usedMs: 0 };
}

function setUp(most: number) {
  const granted: string[] = [];
  const credits = createCredits<string>({ most, grant: ({ number }, item) => granted.push(`${number} ${item}`) });
  return { credits, granted: () => granted.splice(0) };
}

test('one destination holds a quarter, and as many may wait', (t) => {
  const { credits, granted } = setUp(8);
  const slow = destination(1);
  const answers = ['a', 'b', 'c', 'd', 'e'].map((item) => credits.take(slow, item));
  t.deepEqual(answers, ['granted', 'granted', 'waiting', 'waiting', 'refused']);
  t.is(credits.take(destination(2), 'f'), 'granted');
  credits.release(slow);
  t.deepEqual(granted(), ['1 c']);
});

test('who waits no more makes room and is not served', (t) => {
  const { credits, granted } = setUp(4);
  const slow = destination(1);
  credits.take(slow, 'a');
  credits.take(slow, 'b');
  t.is(credits.take(slow, 'c'), 'refused');
  credits.leave(slow, 'b');
  t.is(credits.take(slow, 'c'), 'waiting');
  credits.release(slow);
  t.deepEqual(granted(), ['1 c']);
});

test('when all credits are out the destinations that wait are served in turns', (t) => {
  const { credits, granted } = setUp(8);
  const busy = [1, 2, 3, 4].map(destination);
  for (const one of busy) for (const item of ['a', 'b']) credits.take(one, item);
  const [fifth, sixth] = [destination(5), destination(6)];
  for (const item of ['c', 'd']) t.is(credits.take(fifth, item), 'waiting');
  t.is(credits.take(sixth, 'e'), 'waiting');
  for (const one of busy) credits.release(one);
  t.deepEqual(granted(), ['5 c', '6 e', '5 d']);
});

test('the engine is full when all credits are out, and not while others wait for room in their own shares', (t) => {
  const { credits } = setUp(8);
  for (const dead of [1, 2, 3].map(destination)) for (const item of ['a', 'b', 'c', 'd']) credits.take(dead, item);
  t.deepEqual([credits.held(), credits.waiting()], [6, 6]);
  t.false(credits.full());
  const well = destination(4);
  t.is(credits.take(well, 'a'), 'granted');
  t.false(credits.full());
  credits.take(well, 'b');
  t.true(credits.full());
  credits.release(well);
  t.false(credits.full());
});

test('a destination knows how many of its recipients ask and how many wait', (t) => {
  const { credits } = setUp(4);
  const slow = destination(1);
  const counts = (): readonly number[] => [slow.asking, slow.waiting];
  credits.take(slow, 'a');
  credits.take(slow, 'b');
  t.deepEqual(counts(), [1, 1]);
  credits.release(slow);
  t.deepEqual(counts(), [1, 0]);
  credits.take(slow, 'c');
  credits.leave(slow, 'c');
  t.deepEqual(counts(), [1, 0]);
  credits.take(slow, 'd');
  credits.dismiss();
  t.deepEqual(counts(), [1, 0]);
});

test('those who are dismissed are served no more', (t) => {
  const { credits, granted } = setUp(4);
  const slow = destination(1);
  credits.take(slow, 'a');
  credits.take(slow, 'b');
  t.deepEqual(credits.dismiss(), ['b']);
  credits.release(slow);
  t.deepEqual(granted(), []);
  t.is(credits.held() + credits.waiting(), 0);
});
