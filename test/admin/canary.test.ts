import { type Event, failed, type Recipient, type Verdict } from '@callahead/core';
import test from 'ava';
import { type CanaryOptions, watchCanary } from '../../packages/admin/src/canary.ts';
import { recipientOf } from '../support/recipients.ts';
import { createTimers } from '../support/timers.ts';

const DAY_MS = 24 * 3_600_000;
const INTERVAL_MS = 300_000;

const valid = (server = 'a:25'): Verdict => ({ kind: 'valid', source: 'server', server });
const refusal = (kind: 'unknown' | 'refused' | 'temporary' = 'unknown', server = 'a:25'): Verdict => {
  return { kind, source: 'server', server, reply: { code: 550, enhanced: '5.1.1', text: 'No such user' }, ref: 'ref1' };
};

/** A canary whose questions are answered by two functions that a test may replace. */
function watch(changes: Partial<CanaryOptions> = {}) {
  const timers = createTimers();
  const events: Event[] = [];
  const asked: string[] = [];
  let forgotten = 0;
  const answers = { known: (): Verdict => valid(), random: (): Verdict => refusal() };
  const canary = watchCanary({
    profile: 'corp',
    settings: {
      valid: recipientOf('known@example.com'),
      invalid: recipientOf('surely-not@example.com'),
      intervalMs: INTERVAL_MS,
    },
    async ask({ address }: Recipient) {
      asked.push(address);
      return address === 'known@example.com' ? answers.known() : answers.random();
    },
    async forget() {
      forgotten++;
    },
    emit: (event) => void events.push(event),
    random: Math.random,
    ...timers,
    ...changes,
  });
  const told = (): readonly string[] => events.splice(0).map(({ event }) => event);
  return { ...timers, canary, events, asked, answers, told, forgotten: () => forgotten };
}

test('both are asked at the start and at every interval, the invalid one each time another one', async (t) => {
  const { pass, asked, told } = watch();
  await pass(3 * INTERVAL_MS);
  t.is(asked.length, 8);
  t.is(asked.filter((address) => address === 'known@example.com').length, 4);
  const others = asked.filter((address) => address !== 'known@example.com');
  t.is(new Set(others).size, 4);
  t.true(others.every((address) => /^surely-not-[\da-z]{10}@example\.com$/.test(address)));
  t.deepEqual(told(), []);
});

test('a server that refuses the known-good recipient is suspended until it accepts it, and alarms at each interval', async (t) => {
  for (const kind of ['unknown', 'refused'] as const) {
    const { pass, canary, answers, told, events, forgotten } = watch();
    answers.known = () => refusal(kind);
    await pass(0);
    t.true(canary.suspended('a:25'));
    t.false(canary.suspended('b:25'));
    t.like(events[0], { event: 'canary.failed', kind, server: 'a:25', recipient: 'known@example.com', ref: 'ref1' });
    t.deepEqual(canary.states(), [
      { profile: 'corp', server: 'a:25', suspended: true, catchAll: false, reply: '550 5.1.1 No such user' },
    ]);
    await pass(INTERVAL_MS);
    t.deepEqual(told(), ['canary.failed', 'canary.failed']);
    t.is(forgotten(), 0);
    answers.known = () => valid();
    await pass(INTERVAL_MS);
    t.is(forgotten(), 1, 'what it refused meanwhile is remembered, and wrong');
    t.false(canary.suspended('a:25'));
    t.deepEqual(told(), ['canary.recovered']);
  }
});

test('what no server says for sure changes nothing', async (t) => {
  const { pass, canary, answers, told } = watch();
  answers.known = () => refusal();
  answers.random = () => valid();
  await pass(0);
  t.deepEqual(told().toSorted(), ['canary.catch-all', 'canary.failed']);
  const unclear: readonly Verdict[] = [
    refusal('temporary'),
    failed('timeout', 'silence', 'server', 'a:25'),
    { kind: 'valid', source: 'routing', server: '' },
    { ...refusal(), source: 'routing', server: '' } as Verdict,
  ];
  for (const verdict of unclear) {
    answers.known = () => verdict;
    answers.random = () => verdict;
    await pass(INTERVAL_MS);
    t.deepEqual(told(), ['canary.unanswered', 'canary.unanswered'], verdict.kind);
    t.true(canary.suspended('a:25'));
    t.true(canary.catchAll('a:25'));
  }
});

test('a server that accepts whom nobody can have is marked, until it refuses one', async (t) => {
  const { pass, canary, answers, told } = watch();
  answers.random = () => valid();
  await pass(INTERVAL_MS);
  t.true(canary.catchAll('a:25'));
  t.false(canary.suspended('a:25'));
  t.deepEqual(told(), ['canary.catch-all'], 'told once');
  answers.random = () => refusal();
  await pass(INTERVAL_MS);
  t.false(canary.catchAll('a:25'));
  t.deepEqual(told(), ['canary.selective']);
});

test('a mark that cannot be renewed ends after a day', async (t) => {
  const { pass, canary, answers } = watch();
  answers.random = () => valid();
  await pass(0);
  answers.random = () => refusal('temporary');
  await pass(DAY_MS - 1);
  t.true(canary.catchAll('a:25'));
  await pass(1);
  t.false(canary.catchAll('a:25'));
  t.false(canary.states()[0]?.catchAll);
});

test('each server has a state of its own, and of many those that were heard last', async (t) => {
  let turn = 0;
  const { pass, canary, answers } = watch({
    ask: async ({ local }) => (local === 'known' ? refusal('unknown', `s${turn++}:25`) : failed('timeout', '')),
  });
  answers.known = () => valid();
  await pass(149 * INTERVAL_MS);
  t.is(turn, 150);
  t.is(canary.states().length, 100);
  t.true(canary.suspended('s149:25'));
  t.false(canary.suspended('s0:25'));
});

test('a slow answer puts the next question off, and never are two rounds under way', async (t) => {
  const waiting: ((verdict: Verdict) => void)[] = [];
  const { pass } = watch({ ask: () => new Promise((resolve) => waiting.push(resolve)) });
  await pass(2 * INTERVAL_MS);
  t.is(waiting.length, 2);
  for (const answer of waiting.splice(0)) answer(failed('timeout', ''));
  await new Promise(setImmediate);
  await pass(0);
  t.is(waiting.length, 2);
});

test('one that is stopped asks no more, and what it still hears changes nothing', async (t) => {
  const waiting: ((verdict: Verdict) => void)[] = [];
  const {
    pass,
    canary,
    events,
    waiting: timers,
  } = watch({ ask: () => new Promise((resolve) => waiting.push(resolve)) });
  await pass(0);
  canary.stop();
  for (const answer of waiting) answer(refusal());
  await new Promise(setImmediate);
  t.is(timers(), 0);
  t.deepEqual(events, []);
  t.deepEqual(canary.states(), []);
});

test('a local part of another kind gives way to what is random', async (t) => {
  const settings = {
    valid: recipientOf('known@example.com'),
    invalid: recipientOf('"a b"@example.com'),
    intervalMs: 10,
  };
  const { pass, asked } = watch({ settings });
  await pass(0);
  t.true(asked.some((address) => /^[\da-z]{10}@example\.com$/.test(address)));
});
