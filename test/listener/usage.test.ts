import test from 'ava';
import { createUsage } from '../../packages/listener/src/usage.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

function usageAt(startMs: number, maxCounted = 10) {
  let nowMs = startMs;
  const usage = createUsage({ now: () => nowMs, maxCounted });
  const at = (ms: number): void => {
    nowMs = ms;
  };
  return { usage, at };
}

test('a client has as many sessions as it may, and one more when one has left', (t) => {
  const { usage } = usageAt(0);
  const first = usage.enter('192.0.2.1', 2);
  t.truthy(first);
  t.truthy(usage.enter('192.0.2.1', 2));
  t.is(usage.enter('192.0.2.1', 2), null);
  t.truthy(usage.enter('192.0.2.2', 2));
  first?.leave();
  t.truthy(usage.enter('192.0.2.1', 2));
  t.is(usage.enter('192.0.2.1', 2), null);
});

test('sessions without a limit count for those that have one', (t) => {
  const { usage } = usageAt(0);
  const stays = [usage.enter('192.0.2.1', null), usage.enter('192.0.2.1', null)];
  t.is(usage.enter('192.0.2.1', 2), null);
  for (const stay of stays) stay?.leave();
  t.deepEqual(usage.size(), { open: 0, counted: 0 });
});

test('a recipient counts for an hour, to the end of its minute', (t) => {
  const { usage, at } = usageAt(10 * MINUTE_MS + 1);
  for (let i = 0; i < 3; i++) usage.accepted('192.0.2.1');
  t.false(usage.hasRoom('192.0.2.1', 3));
  t.true(usage.hasRoom('192.0.2.1', 4));
  t.true(usage.hasRoom('192.0.2.1', null));
  t.true(usage.hasRoom('192.0.2.2', 3));
  at(11 * MINUTE_MS + HOUR_MS - 1);
  t.false(usage.hasRoom('192.0.2.1', 3));
  at(11 * MINUTE_MS + HOUR_MS);
  t.true(usage.hasRoom('192.0.2.1', 3));
});

test('the hour slides: what was accepted first is over first', (t) => {
  const { usage, at } = usageAt(0);
  usage.accepted('192.0.2.1');
  at(30 * MINUTE_MS);
  usage.accepted('192.0.2.1');
  at(61 * MINUTE_MS);
  t.true(usage.hasRoom('192.0.2.1', 2));
  usage.accepted('192.0.2.1');
  t.false(usage.hasRoom('192.0.2.1', 2));
  at(91 * MINUTE_MS);
  t.true(usage.hasRoom('192.0.2.1', 2));
});

test('of too many clients the one that asked for nothing the longest is forgotten, and every one whose hour is over', (t) => {
  const { usage, at } = usageAt(0, 2);
  usage.accepted('192.0.2.1');
  usage.accepted('192.0.2.2');
  t.false(usage.hasRoom('192.0.2.1', 1));
  usage.accepted('192.0.2.3');
  t.false(usage.hasRoom('192.0.2.1', 1));
  t.true(usage.hasRoom('192.0.2.2', 1));
  t.is(usage.size().counted, 2);
  at(2 * HOUR_MS);
  usage.accepted('192.0.2.4');
  t.is(usage.size().counted, 1);
});
