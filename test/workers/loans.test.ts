import type { Event, ToWorker } from '@callahead/core';
import test from 'ava';
import { createLoans } from '../../packages/workers/src/loans.ts';
import { routeTo } from '../support/routes.ts';

const LOAN = 'corp 127.0.0.1:25';

function setUp(maxConnectionsPerServer: number, failures = 3) {
  let nowMs = 1_000;
  const timers: { atMs: number; run: () => void }[] = [];
  const sent: string[] = [];
  const events: Event[] = [];
  const loans = createLoans({
    now: () => nowMs,
    at: (atMs, run) => timers.push({ atMs, run }),
    send: (thread, message) => sent.push(`${thread} ${word(message)}`),
    emit: (event) => events.push(event),
  });
  const probe = { maxConnectionsPerServer, breaker: { failures, maxPauseMs: 3_000 } };
  loans.learn(routeTo([25], probe));
  return {
    loans,
    events,
    /** What was sent since the last call. */
    said: () => sent.splice(0),
    probe,
    pass(ms: number) {
      nowMs += ms;
      for (const timer of timers.splice(0)) {
        if (timer.atMs <= nowMs) timer.run();
        else timers.push(timer);
      }
    },
    fail(thread: number, times: number) {
      for (let i = 0; i < times; i++) {
        loans.borrow(thread, LOAN);
        loans.returned(thread, LOAN, 'failed');
      }
      sent.splice(0);
    },
  };
}

function word(message: ToWorker): string {
  return message.kind === 'deny' ? `deny until ${message.untilMs}` : message.kind;
}

test('a permit is lent at once while there are some, then when one is returned', (t) => {
  const { loans, said } = setUp(2);
  loans.borrow(0, LOAN);
  loans.borrow(0, LOAN);
  t.deepEqual(said(), ['0 lend', '0 lend']);
  loans.borrow(1, LOAN);
  t.deepEqual(said(), ['0 recall']);
  loans.returned(0, LOAN, 'closed');
  t.deepEqual(said(), ['1 lend']);
});

test('threads that wait are served in turns, however many permits each wants', (t) => {
  const { loans, said } = setUp(1);
  loans.borrow(0, LOAN);
  for (let i = 0; i < 3; i++) loans.borrow(1, LOAN);
  loans.borrow(2, LOAN);
  said();
  loans.returned(0, LOAN, 'closed');
  t.is(said()[0], '1 lend');
  loans.returned(1, LOAN, 'closed');
  t.is(said()[0], '2 lend');
  loans.returned(2, LOAN, 'closed');
  t.is(said()[0], '1 lend');
});

test('one recall is out for each thread that waits, not one for each time it asks', (t) => {
  const { loans, said, pass } = setUp(2);
  loans.borrow(0, LOAN);
  loans.borrow(0, LOAN);
  said();
  for (let i = 0; i < 5; i++) loans.borrow(1, LOAN);
  pass(10_000);
  t.deepEqual(said(), ['0 recall']);
});

test('a thread with nothing gets its connection soon; those with equal shares do not pass connections around', (t) => {
  const { loans, said, pass } = setUp(4);
  for (let i = 0; i < 4; i++) loans.borrow(0, LOAN);
  said();
  for (let i = 0; i < 5; i++) loans.borrow(1, LOAN);
  t.deepEqual(said(), ['0 recall']);
  loans.returned(0, LOAN, 'closed');
  t.deepEqual(said(), ['1 lend']);
  pass(100);
  t.deepEqual(said(), ['0 recall']);
  loans.returned(0, LOAN, 'closed');
  t.deepEqual(said(), ['1 lend']);
  pass(900);
  t.deepEqual(said(), []);
  pass(100);
  t.is(said().length, 1);
});

test('after so many failed ends in a row the server is left alone, and those who wait are told', (t) => {
  const { loans, said, events } = setUp(1);
  for (let i = 0; i < 2; i++) {
    loans.borrow(0, LOAN);
    loans.returned(0, LOAN, 'failed');
  }
  loans.borrow(0, LOAN);
  loans.borrow(1, LOAN);
  loans.borrow(1, LOAN);
  said();
  loans.returned(0, LOAN, 'failed');
  t.deepEqual(said(), ['1 deny until 2000', '1 deny until 2000']);
  loans.borrow(2, LOAN);
  t.deepEqual(said(), ['2 deny until 2000']);
  t.deepEqual(events, [{ event: 'breaker.opened', profile: 'corp', server: '127.0.0.1:25', untilMs: 2_000 }]);
});

test('an answer between two failures starts the count again', (t) => {
  const { loans, said, fail, events } = setUp(5);
  fail(0, 2);
  loans.borrow(0, LOAN);
  loans.answered(LOAN);
  loans.returned(0, LOAN, 'closed');
  fail(0, 2);
  loans.borrow(0, LOAN);
  t.deepEqual(said(), ['0 lend']);
  t.deepEqual(events, []);
});

test('a server that answers on some connections and refuses more has enough of them: they are shared, it is not left alone', (t) => {
  const { loans, said, pass, events } = setUp(5);
  for (let i = 0; i < 3; i++) loans.borrow(0, LOAN);
  loans.borrow(1, LOAN);
  loans.answered(LOAN);
  said();
  loans.returned(1, LOAN, 'failed');
  loans.borrow(1, LOAN);
  t.deepEqual(said(), ['0 recall']);
  loans.returned(0, LOAN, 'idle');
  t.deepEqual(said(), ['1 lend']);
  t.deepEqual(events, []);
  loans.borrow(0, LOAN);
  said();
  // By then it may take more again.
  pass(10_000);
  t.deepEqual(said(), ['0 lend']);
});

test('after the pause one permit is lent, and its failure doubles the pause up to the maximum', (t) => {
  const { loans, said, fail, pass } = setUp(5);
  fail(0, 3);
  pass(1_000);
  loans.borrow(0, LOAN);
  loans.borrow(1, LOAN);
  t.deepEqual(said(), ['0 lend', '1 deny until 2250']);
  loans.returned(0, LOAN, 'failed');
  loans.borrow(1, LOAN);
  t.deepEqual(said(), ['1 deny until 4000']);
  pass(2_000);
  loans.borrow(1, LOAN);
  loans.returned(1, LOAN, 'failed');
  loans.borrow(1, LOAN);
  t.deepEqual(said(), ['1 lend', '1 deny until 7000']);
});

test('the answer to the trial closes the breaker for all, and connections come back by and by', (t) => {
  const { loans, said, fail, pass, events } = setUp(5);
  fail(0, 3);
  pass(1_000);
  loans.borrow(0, LOAN);
  loans.answered(LOAN);
  t.is(events.at(-1)?.event, 'breaker.closed');
  for (const thread of [1, 1, 2, 2]) loans.borrow(thread, LOAN);
  // Nobody is asked for a connection: there will be more.
  t.deepEqual(said(), ['0 lend', '1 lend']);
  loans.answered(LOAN);
  t.deepEqual(said(), ['1 lend']);
  pass(250);
  t.deepEqual(said(), ['2 lend']);
  pass(250);
  t.deepEqual(said(), ['2 lend']);
});

test('a server that comes back has all its connections within two seconds, however few answers it gives', (t) => {
  const { loans, said, fail, pass } = setUp(100);
  fail(0, 3);
  pass(1_000);
  loans.borrow(0, LOAN);
  loans.answered(LOAN);
  for (let i = 0; i < 99; i++) loans.borrow(1, LOAN);
  const lent: number[] = [];
  for (let step = 0; step < 8; step++) {
    lent.push(said().length);
    pass(250);
  }
  t.deepEqual(lent, [2, 1, 2, 4, 8, 16, 32, 35]);
});

test('failures of attempts that began together do not close the door on those that may still answer', (t) => {
  const { loans, said, events } = setUp(5);
  for (let i = 0; i < 5; i++) loans.borrow(0, LOAN);
  for (let i = 0; i < 3; i++) loans.returned(0, LOAN, 'failed');
  loans.borrow(1, LOAN);
  said();
  loans.answered(LOAN);
  t.deepEqual(events, []);
  // Two are what it takes; one of them is asked for.
  t.deepEqual(said(), ['0 recall']);
});

test('where none of them answers the server is left alone when the last one is over, or after a second', (t) => {
  const first = setUp(4);
  for (let i = 0; i < 4; i++) first.loans.borrow(0, LOAN);
  for (let i = 0; i < 3; i++) first.loans.returned(0, LOAN, 'failed');
  t.deepEqual(first.events, []);
  first.loans.returned(0, LOAN, 'closed');
  t.is(first.events.at(-1)?.event, 'breaker.opened');

  const second = setUp(4);
  for (let i = 0; i < 4; i++) second.loans.borrow(0, LOAN);
  for (let i = 0; i < 3; i++) second.loans.returned(0, LOAN, 'failed');
  second.loans.borrow(1, LOAN);
  second.said();
  second.pass(999);
  t.deepEqual(second.said(), []);
  second.pass(1);
  t.deepEqual(second.said(), ['1 deny until 3000']);
  t.is(second.events.at(-1)?.event, 'breaker.opened');
});

test('a server that is up five seconds and down five is tried once a pause, and makes one line each way', (t) => {
  const { loans, said, pass, events } = setUp(5);
  let lent = 0;
  for (let tick = 0; tick < 600; tick++) {
    const isUp = Math.floor(tick / 50) % 2 === 1;
    for (const thread of [0, 1]) loans.borrow(thread, LOAN);
    const got = said().filter((word) => word.endsWith('lend'));
    for (const word of got) {
      if (isUp) loans.answered(LOAN);
      loans.returned(Number(word[0]), LOAN, isUp ? 'closed' : 'failed');
    }
    if (!isUp) lent += got.length;
    pass(100);
  }
  // Six times down: a pair of attempts for each of three failures at most, then a trial after one second and one after two more.
  t.true(lent <= 6 * (2 * 3 + 2), `${lent}`);
  t.deepEqual(
    events.map(({ event }) => event),
    Array.from({ length: 6 }, () => ['breaker.opened', 'breaker.closed']).flat(),
  );
});

test('a trial that ends unanswered without failing lets the next one try', (t) => {
  const { loans, said, fail, pass } = setUp(5);
  fail(0, 3);
  pass(1_000);
  loans.borrow(0, LOAN);
  loans.returned(0, LOAN, 'closed');
  loans.borrow(1, LOAN);
  loans.borrow(2, LOAN);
  t.deepEqual(said(), ['0 lend', '1 lend', '2 deny until 2250']);
});

test('a trial whose thread dies lets the next one try', (t) => {
  const { loans, said, fail, pass } = setUp(5);
  fail(0, 3);
  pass(1_000);
  loans.borrow(0, LOAN);
  loans.lost(0);
  loans.borrow(1, LOAN);
  t.deepEqual(said(), ['0 lend', '1 lend']);
});

test('the permits of a dead thread come back 250 ms later', (t) => {
  const { loans, said, pass } = setUp(1);
  loans.borrow(0, LOAN);
  loans.lost(0);
  loans.borrow(1, LOAN);
  pass(249);
  t.deepEqual(said(), ['0 lend']);
  pass(1);
  t.deepEqual(said(), ['1 lend']);
});

test('a dead thread does not wait any more', (t) => {
  const { loans, said, pass } = setUp(1);
  loans.borrow(0, LOAN);
  loans.borrow(1, LOAN);
  loans.lost(1);
  said();
  loans.returned(0, LOAN, 'closed');
  pass(1_000);
  t.deepEqual(said(), []);
});

test('idle connections are asked for one after the other without delay, busy ones at a distance', (t) => {
  const { loans, said } = setUp(3);
  for (let i = 0; i < 3; i++) loans.borrow(0, LOAN);
  for (let i = 0; i < 5; i++) loans.borrow(1, LOAN);
  said();
  loans.returned(0, LOAN, 'idle');
  t.deepEqual(said(), ['1 lend', '0 recall']);
  loans.returned(0, LOAN, 'closed');
  t.deepEqual(said(), ['1 lend']);
});

test('a thread with nothing is served soon although another one waits for a later recall', (t) => {
  const { loans, said, pass } = setUp(2);
  loans.borrow(0, LOAN);
  loans.borrow(1, LOAN);
  loans.borrow(0, LOAN);
  t.deepEqual(said(), ['0 lend', '1 lend', '0 recall']);
  loans.returned(0, LOAN, 'closed');
  loans.returned(1, LOAN, 'closed');
  for (let i = 0; i < 2; i++) loans.borrow(0, LOAN);
  said();
  loans.borrow(1, LOAN);
  pass(100);
  t.deepEqual(said(), ['0 recall']);
});

test('a maximum lowered by a newer configuration is reached by recalls', (t) => {
  const { loans, said, probe } = setUp(3);
  for (let i = 0; i < 3; i++) loans.borrow(0, LOAN);
  said();
  loans.learn(routeTo([25], { ...probe, maxConnectionsPerServer: 1 }, { generation: 2 }));
  t.deepEqual(said(), ['0 recall', '0 recall']);
  loans.returned(0, LOAN, 'closed');
  loans.borrow(1, LOAN);
  t.deepEqual(said(), ['0 recall']);
  loans.returned(0, LOAN, 'closed');
  t.deepEqual(said(), []);
  loans.returned(0, LOAN, 'closed');
  t.deepEqual(said(), ['1 lend']);
});

test('an older configuration does not bring its limits back', (t) => {
  const { loans, said, probe } = setUp(1);
  loans.learn(routeTo([25], { ...probe, maxConnectionsPerServer: 9 }, { generation: 0 }));
  loans.borrow(0, LOAN);
  loans.borrow(1, LOAN);
  t.deepEqual(said(), ['0 lend', '0 recall']);
});

test('a server that no destination has any more is forgotten once its connections are back', (t) => {
  const { loans, said, probe } = setUp(1);
  loans.borrow(0, LOAN);
  loans.forget(routeTo([25], probe));
  t.is(loans.report().length, 1);
  loans.returned(0, LOAN, 'closed');
  t.deepEqual(loans.report(), []);
  said();
  loans.borrow(0, LOAN);
  t.deepEqual(said(), ['0 deny until 1250']);
});

test('the limits of all profiles count once a newer configuration is known, for servers that nobody asks now too', (t) => {
  const { loans, said, probe } = setUp(3);
  for (let i = 0; i < 3; i++) loans.borrow(0, LOAN);
  said();
  const { probe: base } = routeTo([25], probe);
  loans.renew(2, { corp: { ...base, maxConnectionsPerServer: 2 } });
  t.deepEqual(said(), ['0 recall']);
  loans.renew(3, { corp: { ...base, maxConnectionsPerServer: 4 } });
  loans.borrow(1, LOAN);
  t.deepEqual(said(), ['1 lend']);
});

test('a profile that is no more keeps its limits while it has a destination', (t) => {
  const { loans, said } = setUp(1);
  loans.renew(2, {});
  loans.borrow(0, LOAN);
  loans.borrow(1, LOAN);
  t.deepEqual(said(), ['0 lend', '0 recall']);
});
