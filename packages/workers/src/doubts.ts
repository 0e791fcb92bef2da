/**
 * What to do with a 5xx that is not believed (SPEC 4.5). Of those that a server gave in shared transactions one is asked again, alone; the others wait
 * for what that teaches, lest a hundred unknown recipients open a hundred connections.
 */
import type { Habits } from './habits.ts';
import type { Outcome, Query } from './query.ts';

export type Doubts = Readonly<{
  /** Takes a query in manner `alone`. */
  add(query: Query): void;
  /** A query in manner `alone` has its answer, or its time is over: null. */
  decided(query: Query, outcome: Outcome | null): void;
  /** Those that wait for another one's answer. */
  held(): readonly Query[];
  /** Takes those out that `gone` says. */
  remove(gone: (query: Query) => boolean): readonly Query[];
}>;

export type DoubtsOptions = Readonly<{
  habits: Habits;
  /** Asks it, in its manner. */
  ask: (query: Query) => void;
  done: (query: Query, outcome: Outcome) => void;
}>;

export function createDoubts({ habits, ask, done }: DoubtsOptions): Doubts {
  let held: Query[] = [];
  let asked: Query | null = null;

  function add(query: Query): void {
    if (query.manner.kind !== 'alone' || query.manner.suspect.doubt === 'closed' || query === asked) {
      ask(query);
      return;
    }
    held.push(query);
    if (asked === null) goOn();
  }

  function decided(query: Query, outcome: Outcome | null): void {
    if (outcome !== null) learn(query, outcome);
    if (query !== asked) return;
    asked = null;
    goOn();
  }

  function learn(query: Query, outcome: Outcome): void {
    if (query.manner.kind !== 'alone' || outcome.kind === 'failed') return;
    const { suspect } = query.manner;
    if (outcome.kind === 'valid') habits.tookOne();
    const same = outcome.reply.code === suspect.reply.code && outcome.reply.enhanced === suspect.reply.enhanced;
    // A close behind a 5xx tells nothing about shared transactions.
    if (same && suspect.doubt === 'shared') habits.answersTruly();
  }

  function goOn(): void {
    if (habits.takesOne()) {
      for (const query of held.splice(0)) {
        query.manner = { kind: 'any' };
        ask(query);
      }
      return;
    }
    if (habits.sharedIsSafe()) {
      for (const query of held.splice(0)) {
        if (query.manner.kind === 'alone') done(query, query.manner.suspect.outcome);
      }
      return;
    }
    asked = held.shift() ?? null;
    if (asked !== null) ask(asked);
  }

  function remove(gone: (query: Query) => boolean): readonly Query[] {
    const removed = held.filter(gone);
    held = held.filter((query) => !gone(query));
    return removed;
  }

  return { add, decided, held: () => held, remove };
}
