/** The recipients that the main half asks about: each has a credit, a thread that is asked, and a deadline by which its waiter is answered. */
import type { Verdict } from '@callahead/core';
import { type Ask, overload, timeout } from './ask.ts';
import { createCredits } from './credits.ts';
import { createDeadlines, type Deadline } from './deadlines.ts';
import { type Destination, laneOf } from './destinations.ts';
import type { Lane, Question } from './lane.ts';

export type Pending = Question & {
  readonly destination: Destination;
  /** null: its waiter has its verdict. */
  answer: ((verdict: Verdict) => void) | null;
  deadline: Deadline<Pending> | null;
  /** How many threads were asked. */
  attempts: number;
};

export type Asks = Readonly<{
  /** Never rejects; answers by the deadline. */
  put(destination: Destination, question: Ask): Promise<Verdict>;
  /** A thread has said its verdict. */
  settle(pending: Pending, verdict: Verdict): void;
  /** The thread that was asked is dead: another one is, once, inside the budget (SPEC 8.3); or nobody any more. */
  lost(pending: Pending, again: boolean): void;
  /** Those who wait for a credit get this verdict, and wait no more. */
  dismiss(verdict: Verdict): void;
  /** All others get it too; no deadline rings any more. */
  end(verdict: Verdict): void;
  held(): number;
  waiting(): number;
  full(): boolean;
}>;

export type AsksOptions = Readonly<{ most: number; lanes: readonly Lane<Pending>[]; now: () => number }>;

/** The thread answers that much before the budget ends: it can say which server was silent, the main half cannot. */
const MARGIN_MS = 20;
const MOST_ATTEMPTS = 2;

export function createAsks({ most, lanes, now }: AsksOptions): Asks {
  const credits = createCredits<Pending>({ most, grant: (_, pending) => ask(pending) });
  const expiries = createDeadlines<Pending>(now, expire);

  function put(destination: Destination, question: Ask): Promise<Verdict> {
    return new Promise((answer) => {
      const pending: Pending = {
        recipient: question.recipient.address,
        deadlineMs: Math.floor(question.deadlineMs) - MARGIN_MS,
        recorder: question.recorder,
        fresh: question.fresh ?? false,
        destination,
        answer,
        deadline: null,
        attempts: 0,
      };
      pending.deadline = expiries.at(question.deadlineMs, pending);
      const credit = credits.take(destination, pending);
      if (credit === 'granted') ask(pending);
      if (credit === 'refused') respond(pending, overload('too many recipients wait for these servers'));
    });
  }

  function ask(pending: Pending): void {
    const { destination, recorder } = pending;
    const thread = laneOf(destination, pending.recipient);
    pending.attempts++;
    recorder?.({
      stage: 'engine',
      atMs: now(),
      facts: { destination: destination.route.key, thread: String(thread), attempt: String(pending.attempts) },
    });
    lanes[thread]?.ask(destination, pending);
  }

  function settle(pending: Pending, verdict: Verdict): void {
    respond(pending, verdict);
    credits.release(pending.destination);
  }

  function lost(pending: Pending, again: boolean): void {
    if (again && pending.answer !== null && pending.attempts < MOST_ATTEMPTS) ask(pending);
    else settle(pending, overload('the thread that asked died'));
  }

  /** The waiter is answered; the credit stays out until the thread has said its verdict. */
  function expire(pending: Pending): void {
    credits.leave(pending.destination, pending);
    respond(pending, timeout());
  }

  function respond(pending: Pending, verdict: Verdict): void {
    const { answer } = pending;
    if (answer === null) return;
    pending.answer = null;
    if (pending.deadline !== null) expiries.cancel(pending.deadline);
    answer(verdict);
  }

  function dismiss(verdict: Verdict): void {
    for (const pending of credits.dismiss()) respond(pending, verdict);
  }

  function end(verdict: Verdict): void {
    dismiss(verdict);
    for (const pending of lanes.flatMap((lane) => lane.abandon())) respond(pending, verdict);
    expiries.close();
  }

  return {
    put,
    settle,
    lost,
    dismiss,
    end,
    held: credits.held,
    waiting: credits.waiting,
    full: credits.full,
  };
}
