import type { Reply } from '@callahead/core';
import test from 'ava';
import { createHolds } from '../../packages/listener/src/refusals.ts';

const REFUSED: Reply = { code: 550, enhanced: '5.7.1', text: 'No' };
const BUSY: Reply = { code: 450, enhanced: '4.2.0', text: 'Later' };

function start(maxHolds = 100) {
  const clock = { nowMs: 0 };
  return { clock, holds: createHolds({ holdTimeMs: 1000, now: () => clock.nowMs, maxHolds }) };
}

test('a hold answers the next matching recipient once and is gone', (t) => {
  const { holds } = start();
  holds.put('a@example.com', 'b@example.com', REFUSED);
  t.is(holds.take('a@example.com', 'b@example.com'), REFUSED);
  t.is(holds.take('a@example.com', 'b@example.com'), null);
  t.is(holds.size(), 0);
});

test('a hold is of one sender and one recipient', (t) => {
  const { holds } = start();
  holds.put('', 'b@example.com', REFUSED);
  t.is(holds.take('a@example.com', 'b@example.com'), null);
  t.is(holds.take('', 'c@example.com'), null);
  t.is(holds.take('', 'b@example.com'), REFUSED);
});

test('the later refusal of the same recipient counts', (t) => {
  const { holds } = start();
  holds.put('', 'b@example.com', REFUSED);
  holds.put('', 'b@example.com', BUSY);
  t.is(holds.take('', 'b@example.com'), BUSY);
  t.is(holds.take('', 'b@example.com'), null);
});

test('a hold lives as long as the hold time', (t) => {
  const { holds, clock } = start();
  holds.put('', 'b@example.com', REFUSED);
  clock.nowMs = 999;
  holds.put('', 'c@example.com', REFUSED);
  clock.nowMs = 1000;
  t.is(holds.take('', 'b@example.com'), null);
  t.is(holds.take('', 'c@example.com'), REFUSED);
});

test('holds that nobody comes back for make room for new ones', (t) => {
  const { holds, clock } = start();
  for (let i = 0; i < 50; i++) holds.put('', `${i}@example.com`, REFUSED);
  clock.nowMs = 1000;
  holds.put('', 'new@example.com', REFUSED);
  t.is(holds.size(), 1);
});

test('there are never more holds than the bound, and the oldest goes first', (t) => {
  const { holds } = start(10);
  for (let i = 0; i < 25; i++) holds.put('', `${i}@example.com`, REFUSED);
  t.is(holds.size(), 10);
  t.is(holds.take('', '14@example.com'), null);
  t.is(holds.take('', '15@example.com'), REFUSED);
});
