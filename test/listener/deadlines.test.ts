import type { Limits } from '@callahead/core';
import test from 'ava';
import { createAlarm, createDeadlines, type Deadlines } from '../../packages/listener/src/smtp/deadlines.ts';
import { LIMITS } from '../support/front-door.ts';

const now = (): number => performance.now();

test('an alarm rings once, at the moment it was moved to last', async (t) => {
  const startMs = now();
  const rungMs = await new Promise<number>((resolve) => {
    const alarm = createAlarm(now, () => resolve(now()));
    alarm.set(startMs + 10);
    alarm.set(startMs + 60_000);
    alarm.set(startMs + 40);
  });
  t.true(rungMs >= startMs + 40 && rungMs < startMs + 10_000);
});

test('a cleared alarm is silent, and can be set again', async (t) => {
  let rung = 0;
  await new Promise<void>((resolve) => {
    const alarm = createAlarm(now, () => {
      rung++;
      resolve();
    });
    alarm.set(now() + 5);
    alarm.clear();
    alarm.set(now() + 30);
  });
  t.is(rung, 1);
});

type Act = (deadlines: Deadlines, pass: (milliseconds: number) => void) => void;

/** When the session ends if nothing more comes, by a clock that starts at 0 and moves by `pass` only. */
function expiry(limits: Partial<Limits>, act: Act): number {
  let nowMs = 0;
  let dueMs = 0;
  const alarm = {
    set: (atMs: number) => {
      dueMs = atMs;
    },
    clear() {},
  };
  const deadlines = createDeadlines({ limits: { ...LIMITS, ...limits }, now: () => nowMs, alarm });
  act(deadlines, (milliseconds) => {
    nowMs += milliseconds;
  });
  return dueMs;
}

test('a line has one time limit for all of it, however its octets trickle', (t) => {
  const atMs = expiry({ commandTimeoutMs: 5_000 }, (deadlines, pass) => {
    for (let i = 0; i < 49; i++) {
      deadlines.awaitLineEnd();
      pass(100);
    }
    deadlines.awaitLineEnd();
  });
  t.is(atMs, 5_000);
});

test('the next line has a time limit of its own', (t) => {
  const atMs = expiry({ commandTimeoutMs: 5_000 }, (deadlines, pass) => {
    deadlines.awaitLineEnd();
    pass(4_900);
    deadlines.awaitUs();
    deadlines.awaitLineEnd();
  });
  t.is(atMs, 9_900);
});

test('a session ends at its own deadline, whatever it does', (t) => {
  const atMs = expiry({ sessionTimeoutMs: 10_000 }, (deadlines, pass) => {
    for (let i = 0; i < 99; i++) {
      deadlines.awaitCommand();
      pass(100);
    }
    deadlines.awaitUs();
  });
  t.is(atMs, 10_000);
});

test('a message must keep its pace', (t) => {
  const atMs = expiry({ commandTimeoutMs: 3_000, minDataRate: 1_000 }, (deadlines, pass) => {
    deadlines.beginMessage();
    for (let i = 0; i < 30; i++) {
      pass(100);
      deadlines.messageOctets(10);
    }
  });
  t.is(atMs, 3_300);
});

test('a message that kept its pace has no more time than one that begins', (t) => {
  const atMs = expiry({ commandTimeoutMs: 3_000, minDataRate: 1_000 }, (deadlines) => {
    deadlines.beginMessage();
    deadlines.messageOctets(1_000_000);
  });
  t.is(atMs, 3_000);
});

test('the time in which the next hop takes nothing is not the sender’s', (t) => {
  const atMs = expiry({ commandTimeoutMs: 3_000, minDataRate: 1_000 }, (deadlines, pass) => {
    deadlines.beginMessage();
    deadlines.awaitNextHop();
    pass(100_000);
    deadlines.messageOctets(0);
  });
  t.is(atMs, 103_000);
});
