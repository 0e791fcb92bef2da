/** The attempts at one server: who waits for a session, who is in doubt, and how each of them ends. */
import { createDoubts } from './doubts.ts';
import type { Habits } from './habits.ts';
import { createPace, type Pace } from './pace.ts';
import { attemptDeadlineMs, type Failure, note, type Outcome, type Query, type Told } from './query.ts';
import { createWaiting, type Waiting } from './waiting.ts';

export type Attempts = Readonly<{
  waiting: Waiting;
  pace: Pace;
  /** Takes a query whose attempt begins. Where too many wait already it ends at once. */
  add(query: Query): void;
  /** What a session has made of one. */
  told(query: Query, what: Told): void;
  /** Ends those with this outcome who wait and have nobody to wait for. */
  giveUp(isServed: (query: Query) => boolean, outcome: Outcome, lines: readonly string[]): void;
  /** Ends those whose time is over and that no session has; true: there were some. */
  expire(during: Failure['during']): boolean;
  /** Those who have no answer. */
  owed(): number;
  /** Those of them that no session has. */
  unasked(): number;
  /** Nobody is told anything any more. */
  forget(): void;
}>;

export type AttemptsOptions = Readonly<{
  habits: Habits;
  now: () => number;
  done: (query: Query, outcome: Outcome) => void;
}>;

export function createAttempts({ habits, now, done }: AttemptsOptions): Attempts {
  const pace = createPace(now);
  const waiting = createWaiting({ now, pace, late: (query) => drop(query, noSession('conversation')) });
  const doubts = createDoubts({ habits, done: end, ask: waiting.add });
  let owed = 0;

  function add(query: Query): void {
    owed++;
    if (!waiting.enter(query)) end(query, tooMany);
  }

  function end(query: Query, outcome: Outcome): void {
    owed--;
    if (outcome.kind !== 'failed') pace.answered();
    done(query, outcome);
  }

  function told(query: Query, what: Told): void {
    if (what.kind === 'again') {
      query.manner = what.manner;
      if (what.manner.kind === 'alone') doubts.add(query);
      else waiting.add(query);
      return;
    }
    const alone = query.manner.kind === 'alone';
    end(query, what);
    if (alone) doubts.decided(query, what);
  }

  function drop(query: Query, outcome: Outcome): void {
    // At the next server it is asked in any manner again.
    const alone = query.manner.kind === 'alone';
    end(query, outcome);
    if (alone) doubts.decided(query, null);
  }

  function giveUp(isServed: (query: Query) => boolean, outcome: Outcome, lines: readonly string[]): void {
    const particular = (): readonly Query[] => waiting.take(({ manner }) => manner.kind !== 'any');
    // One that is given up may have sent another one here that waited for its answer.
    for (let given = waiting.take((query) => !isServed(query)); given.length > 0; given = particular()) {
      for (const query of given) {
        note(query, lines);
        drop(query, outcome);
      }
    }
  }

  function expire(during: Failure['during']): boolean {
    const isOver = (query: Query): boolean => attemptDeadlineMs(query) <= now();
    const over = [...waiting.take(isOver), ...doubts.remove(isOver)];
    for (const query of over) drop(query, noSession(during));
    return over.length > 0;
  }

  return {
    waiting,
    pace,
    add,
    told,
    giveUp,
    expire,
    owed: () => owed,
    unasked: () => waiting.any() + waiting.particular() + doubts.held().length,
    forget() {
      waiting.take(() => true);
      doubts.remove(() => true);
    },
  };
}

function noSession(during: Failure['during']): Outcome {
  return { kind: 'failed', cause: 'timeout', detail: 'no connection was free in time', during };
}

const tooMany: Outcome = {
  kind: 'failed',
  cause: 'overload',
  detail: 'more wait for the server than it answers in time',
  during: 'conversation',
};
