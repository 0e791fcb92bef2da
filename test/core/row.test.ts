import test from 'ava';
import { createRow } from '../../packages/core/src/row.ts';

type Person = { name: string; before: Person | null; after: Person | null };

function person(name: string): Person {
  return { name, before: null, after: null };
}

test('who came first stands first, whoever leaves', (t) => {
  const row = createRow<Person>();
  const [a, b, c, d] = [person('a'), person('b'), person('c'), person('d')];
  t.is(row.first(), null);
  for (const one of [a, b, c, d]) row.append(one);
  row.remove(b);
  row.remove(a);
  t.is(row.first(), c);
  row.remove(d);
  row.append(a);
  row.remove(c);
  t.is(row.first(), a);
  row.remove(a);
  t.is(row.first(), null);
  row.append(b);
  t.is(row.first(), b);
});
