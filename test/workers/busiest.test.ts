import test from 'ava';
import { createBusiest } from '../../packages/workers/src/busiest.ts';

type Total = { readonly name: string; count: number };

function setUp(most: number) {
  let nowMs = 0;
  const busiest = createBusiest<Total>({ most, now: () => nowMs, create: (name) => ({ name, count: 0 }) });
  return {
    add(name: string, weight = 1): void {
      busiest.of(name, 'other', weight).count += weight;
    },
    counts: () => Object.fromEntries(busiest.all().map(({ name, count }) => [name, count])),
    pass(ms: number): void {
      nowMs += ms;
    },
  };
}

test('names have totals of their own while there is room, and the rest one together', (t) => {
  const { add, counts } = setUp(2);
  for (const name of ['a', 'b', 'c', 'd', 'a', 'c']) add(name);
  t.deepEqual(counts(), { a: 2, b: 1, other: 3 });
});

test('who is clearly busier takes the place of the least busy, and no total ever falls', (t) => {
  const { add, counts, pass } = setUp(2);
  add('a', 10);
  add('b', 2);
  pass(60_000);
  add('c', 1);
  add('d', 5);
  t.deepEqual(counts(), { a: 10, d: 5, other: 1 });
});

test('a place is kept for a minute, so that totals do not begin anew all the time', (t) => {
  const { add, counts, pass } = setUp(1);
  add('a');
  pass(59_999);
  add('b', 100);
  t.deepEqual(counts(), { a: 1, other: 100 });
});

test('who was busy long ago gives way', (t) => {
  const { add, counts, pass } = setUp(1);
  add('yesterday', 1_000);
  pass(24 * 3_600_000);
  add('today', 2);
  t.deepEqual(counts(), { today: 2 });
});

test('many names for which there is no place do not each have all places looked through', (t) => {
  let looks = 0;
  const busiest = createBusiest<Total>({
    most: 200,
    now() {
      looks++;
      return 0;
    },
    create: (name) => ({ name, count: 0 }),
  });
  for (let i = 0; i < 200; i++) busiest.of(`big${i}`, 'other', 10);
  for (let i = 0; i < 1_000; i++) busiest.of(`small${i}`, 'other', 1);
  t.true(looks < 10_000, `${looks} looks at the clock`);
  t.is(busiest.all().length, 201);
});
