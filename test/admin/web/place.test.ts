import test from 'ava';
import { hashOf, placeOf } from '../../../packages/admin/web/src/place.ts';

test('the address says the view and what it is asked for, and back', (t) => {
  const hash = hashOf('explain', { recipient: 'a+b&c=d@example.com', client: '' });
  const { view, query } = placeOf(hash);
  t.is(view, 'explain');
  t.deepEqual([...query], [['recipient', 'a+b&c=d@example.com']]);
});

test('an address of nothing is that of the overview', (t) => {
  for (const hash of ['', '#', '#/', '#/elsewhere', '#main']) t.is(placeOf(hash).view, 'overview', hash);
});
