import type { Reply } from '@callahead/core';
import test, { type ExecutionContext } from 'ava';
import { type Answer, createReplies, format, type Place, type Replies } from '../../packages/listener/src/replies.ts';
import { collectGarbage } from '../support/garbage.ts';

const OK: Reply = { code: 250, enhanced: '2.0.0', text: 'Ok' };
const NO: Reply = { code: 550, enhanced: '5.1.1', text: 'No' };
const BYE: Reply = { code: 221, enhanced: '2.0.0', text: 'Bye' };

type Written = Readonly<{ replies: Replies; writes: string[]; hungUp: () => boolean; turn: () => Promise<void> }>;

function written(t: ExecutionContext): Written {
  const writes: string[] = [];
  let over = false;
  const replies = createReplies({
    now: () => performance.now(),
    write: (text) => void writes.push(text),
    written: () => {},
    hungUp: () => {
      over = true;
    },
  });
  t.teardown(replies.drop);
  const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
  return { replies, writes, hungUp: () => over, turn };
}

const never = (): number => performance.now() + 60_000;

test('the replies of one turn leave in one write', async (t) => {
  const { replies, writes, turn } = written(t);
  replies.say(OK);
  const place = replies.keep(never(), () => ({ reply: NO, hangUp: false }));
  replies.say(OK);
  await Promise.resolve().then(() => replies.fill(place));
  await turn();
  t.deepEqual(writes, ['250 2.0.0 Ok\r\n550 5.1.1 No\r\n250 2.0.0 Ok\r\n']);
});

test('a reply waits for those before it, and what is known is not held back', async (t) => {
  const { replies, writes, turn } = written(t);
  const settled: number[] = [];
  const keep = (number: number) =>
    replies.keep(never(), () => {
      settled.push(number);
      return { reply: { ...OK, text: String(number) }, hangUp: false };
    });
  const [first, second, third] = [keep(1), keep(2), keep(3)];
  replies.fill(third);
  replies.fill(first);
  await turn();
  t.deepEqual(writes, ['250 2.0.0 1\r\n']);
  t.is(replies.waiting(), 2);
  replies.fill(second);
  await turn();
  t.deepEqual(writes.slice(1), ['250 2.0.0 2\r\n250 2.0.0 3\r\n']);
  t.deepEqual(settled, [1, 2, 3]);
  t.is(replies.waiting(), 0);
});

test('what was answered is forgotten while somebody is always waited for', async (t) => {
  const { replies, turn } = written(t);
  const keep = (): Readonly<{ place: Place; settle: WeakRef<() => Answer> }> => {
    const settle = (): Answer => ({ reply: OK, hangUp: false });
    return { place: replies.keep(never(), settle), settle: new WeakRef(settle) };
  };
  const settled: WeakRef<() => Answer>[] = [];
  let waiting = keep();
  for (let i = 0; i < 100; i++) {
    const next = keep();
    replies.fill(waiting.place);
    settled.push(waiting.settle);
    waiting = next;
    await turn();
  }
  collectGarbage();
  t.is(replies.waiting(), 1);
  t.true(settled.filter((settle) => settle.deref() !== undefined).length < 5);
});

test('nothing is said after the last reply', async (t) => {
  const { replies, writes, hungUp, turn } = written(t);
  let settled = false;
  const place = replies.keep(never(), () => ({ reply: BYE, hangUp: true }));
  const later = replies.keep(never(), () => {
    settled = true;
    return { reply: OK, hangUp: false };
  });
  replies.fill(later);
  replies.fill(place);
  replies.say(OK);
  await turn();
  t.deepEqual(writes, ['221 2.0.0 Bye\r\n']);
  t.true(hungUp());
  t.false(settled);
});

test('hanging up does not wait for what is unanswered', async (t) => {
  const { replies, writes, hungUp, turn } = written(t);
  replies.keep(never(), () => ({ reply: OK, hangUp: false }));
  replies.hangUp(BYE);
  await turn();
  t.deepEqual(writes, ['221 2.0.0 Bye\r\n']);
  t.true(hungUp());
});

test('a place that nobody fills is settled at its deadline', async (t) => {
  const due = performance.now() + 20;
  const line = await new Promise<string>((resolve) => {
    const replies = createReplies({ now: () => performance.now(), write: resolve, written() {}, hungUp() {} });
    t.teardown(replies.drop);
    replies.keep(due, () => ({ reply: NO, hangUp: false }));
    replies.keep(never(), () => ({ reply: OK, hangUp: false }));
  });
  t.is(line, '550 5.1.1 No\r\n');
  t.true(performance.now() >= due);
});

test('a place is settled once, however often it is filled', async (t) => {
  const { replies, writes, turn } = written(t);
  const place = replies.keep(never(), () => ({ reply: OK, hangUp: false }));
  replies.fill(place);
  replies.fill(place);
  await turn();
  t.deepEqual(writes, ['250 2.0.0 Ok\r\n']);
});

test('a reply is lines of printable ASCII of at most 512 octets', (t) => {
  t.is(format({ code: 550, enhanced: null, text: 'a\r\n250 b\u0000ü\u2028' }), '550 a??250 b???\r\n');
  t.is(format({ ...NO, text: 'x'.repeat(2_000) }).length, 512);
  t.is(format({ code: 250, enhanced: null, text: 'a', more: ['b\n', 'c'] }), '250-a\r\n250-b?\r\n250 c\r\n');
});
