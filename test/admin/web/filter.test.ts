import test from 'ava';
import type { VerdictRow } from '../../../packages/admin/src/recent.ts';
import { ANY, filterOf, isWanted } from '../../../packages/admin/web/src/filter.ts';

const ROW: VerdictRow = {
  id: 1,
  at: '2026-11-24T08:13:32.123Z',
  session: 'ab12c',
  listener: 'inbound',
  client: '203.0.113.7',
  recipient: 'Nobody@example.com',
  outcome: 'rejected',
  kind: 'unknown',
  source: 'cache',
  profile: 'corp',
  server: 'ex1.corp.example:25',
  code: 550,
  reason: 'unknown',
  ref: 'k3x9d1aa',
  monitor: false,
};

test('a recipient is wanted by a part of its address in any case, and by whole words for the rest', (t) => {
  t.true(isWanted(ROW, ANY));
  t.true(isWanted(ROW, { ...ANY, recipient: ' BODY@ex', kind: 'unknown', server: 'ex1.corp.example:25' }));
  t.false(isWanted(ROW, { ...ANY, recipient: 'somebody' }));
  t.false(isWanted(ROW, { ...ANY, server: 'ex1' }));
  t.false(isWanted(ROW, { ...ANY, outcome: 'accepted' }));
  t.false(isWanted(ROW, { ...ANY, profile: 'others' }));
});

test('a link can say what is wanted', (t) => {
  t.deepEqual(filterOf(new URLSearchParams('server=ex1.corp.example:25&kind=failed&more=1')), {
    ...ANY,
    server: 'ex1.corp.example:25',
    kind: 'failed',
  });
});
