/**
 * Connections are lent by the main half: a session borrows a permit for its profile and server before it dials, and returns it when it is
 * closed. So the limit is exact over threads, shards and destinations (SPEC 8.2), and the same table is the breaker (SPEC 8.5).
 */
import {
  type Emit,
  type LoanOutcome,
  type LoanReport,
  loanName,
  type Probe,
  type Route,
  serverName,
  type ToWorker,
} from '@callahead/core';
import {
  answered as afterAnswer,
  type Breaker,
  connectionsAt,
  decided,
  ended,
  failed,
  isShut,
  nextStepMs,
} from './breaker.ts';
import { createLoan, type Loan } from './loan.ts';
import { createRecalls } from './recalls.ts';
import { add, sum } from './shares.ts';
import { createTerms, type Terms } from './terms.ts';

/** How long the connections of a dead thread count as open: the system needs a moment to close them. */
const DEAD_THREAD_MS = 250;
/** When to ask again while another one tries the server, or where the server is not known here. */
const ASK_AGAIN_MS = 250;
/** A server that answered a RCPT so lately and refuses one more connection has enough of them; then it is not offered more for a while. */
const ANSWERING_MS = 5_000;
const ENOUGH_MS = 10_000;

export type Loans = {
  /** A destination with these servers exists. The newest generation's limits count for all of the profile. */
  learn(route: Route): void;
  /** All profiles of a newer generation: their limits count at once, and what is lent above them is recalled. */
  renew(generation: number, probes: Readonly<Record<string, Probe>>): void;
  /** It does not exist any more, or has another route now. */
  forget(route: Route): void;
  borrow(thread: number, name: string): void;
  answered(name: string): void;
  returned(thread: number, name: string, outcome: LoanOutcome): void;
  /** The thread is dead: it waits for nothing, and what it held comes back a moment later. */
  lost(thread: number): void;
  report(): LoanReport[];
};

export type LoansOptions = Readonly<{
  now: () => number;
  /** Calls `run` once that time has come. */
  at: (deadlineMs: number, run: () => void) => void;
  send: (thread: number, message: ToWorker) => unknown;
  emit: Emit;
}>;

export function createLoans({ now, at, send, emit }: LoansOptions): Loans {
  const loans = new Map<string, Loan>();
  const recall = createRecalls({ now, at, send, maximum });
  const terms = createTerms((profile) => [...loans.values()].some((loan) => loan.profile === profile));

  function learn(route: Route): void {
    const newer = terms.learn(route.profile, route.generation, route.probe);
    for (const server of new Set(route.tiers.flat().map(serverName))) {
      const name = loanName(route.profile, server);
      const loan = loans.get(name) ?? createLoan(name, route.profile, server);
      loan.destinations++;
      loans.set(name, loan);
    }
    if (!newer) return;
    for (const loan of loans.values()) if (loan.profile === route.profile) lend(loan);
  }

  function renew(generation: number, probes: Readonly<Record<string, Probe>>): void {
    terms.renew(generation, probes);
    for (const loan of loans.values()) lend(loan);
  }

  function forget(route: Route): void {
    for (const server of new Set(route.tiers.flat().map(serverName))) {
      const loan = loans.get(loanName(route.profile, server));
      if (loan === undefined) continue;
      loan.destinations--;
      drop(loan);
    }
  }

  function borrow(thread: number, name: string): void {
    const loan = loans.get(name);
    if (loan === undefined) {
      deny(thread, name, now() + ASK_AGAIN_MS);
      return;
    }
    const { breaker } = loan;
    if (!isShut(breaker)) {
      add(loan.waiting, thread, 1);
      lend(loan);
      return;
    }
    if (breaker.kind === 'open' && now() < breaker.untilMs) {
      deny(thread, name, breaker.untilMs);
      return;
    }
    const taken = breaker.kind === 'half-open' && breaker.trial !== null;
    if (taken || loan.out >= maximum(loan)) {
      deny(thread, name, now() + ASK_AGAIN_MS);
      return;
    }
    loan.breaker = { kind: 'half-open', trial: thread, pauseMs: breaker.pauseMs };
    give(loan, thread);
  }

  function deny(thread: number, name: string, untilMs: number): void {
    send(thread, { kind: 'deny', loan: name, untilMs });
  }

  function answered(name: string): void {
    const loan = loans.get(name);
    if (loan === undefined) return;
    loan.answeredMs = now();
    // Those that were refused meanwhile were one too many.
    if (loan.breaker.kind === 'doubtful') seeEnough(loan);
    become(loan, afterAnswer(loan.breaker, now()));
  }

  function returned(thread: number, name: string, outcome: LoanOutcome): void {
    const loan = loans.get(name);
    if (loan === undefined || !loan.held.has(thread)) return;
    add(loan.held, thread, -1);
    add(loan.recalled, thread, -1);
    loan.out--;
    // Where one had nothing to do others may have nothing to do either: they are asked for without delay.
    if (outcome === 'idle') loan.recalledMs = Number.NEGATIVE_INFINITY;
    judge(loan, thread, outcome);
    lend(loan);
    drop(loan);
  }

  function judge(loan: Loan, thread: number, outcome: LoanOutcome): void {
    const { breaker } = loan;
    const attempt = { thread, others: loan.out, nowMs: now() };
    if (outcome !== 'failed') become(loan, ended(breaker, attempt, termsOf(loan)));
    else if (answersOthers(loan)) seeEnough(loan);
    else become(loan, failed(breaker, attempt, termsOf(loan)));
  }

  /** It serves those that it has, and refused one more. */
  function answersOthers({ breaker, out, answeredMs }: Loan): boolean {
    const serves = breaker.kind === 'closed' || breaker.kind === 'recovering';
    return serves && out > 0 && now() - answeredMs < ANSWERING_MS;
  }

  function seeEnough(loan: Loan): void {
    loan.enough = { connections: Math.max(1, loan.out), untilMs: now() + ENOUGH_MS };
    at(loan.enough.untilMs, () => lend(loan));
  }

  function become(loan: Loan, next: Breaker): void {
    const before = loan.breaker;
    if (next === before) return;
    loan.breaker = next;
    if (next.kind === 'open') leaveAlone(loan, next.untilMs, before.kind !== 'half-open');
    if (next.kind === 'recovering' && before.kind !== 'recovering') tell(loan, 'breaker.closed', now());
    if (next.kind === 'doubtful') at(next.untilMs, () => become(loan, decided(loan.breaker, now(), termsOf(loan))));
    if (next.kind === 'recovering' || before.kind === 'doubtful') lend(loan);
  }

  /** That a trial failed is no news. */
  function leaveAlone(loan: Loan, untilMs: number, isNews: boolean): void {
    if (isNews) tell(loan, 'breaker.opened', untilMs);
    for (const [thread, permits] of loan.waiting) {
      for (let i = 0; i < permits; i++) deny(thread, loan.name, untilMs);
    }
    loan.waiting.clear();
  }

  function tell({ profile, server }: Loan, event: 'breaker.opened' | 'breaker.closed', untilMs: number): void {
    emit({ event, profile, server, untilMs });
  }

  function termsOf({ profile }: Loan): Pick<Terms, 'failures' | 'maxPauseMs'> {
    return terms.of(profile) ?? { failures: 1, maxPauseMs: Number.POSITIVE_INFINITY };
  }

  function lost(thread: number): void {
    for (const loan of loans.values()) {
      loan.waiting.delete(thread);
      loan.recalled.delete(thread);
      const permits = loan.held.get(thread) ?? 0;
      loan.held.delete(thread);
      const { breaker } = loan;
      if (breaker.kind === 'half-open' && breaker.trial === thread) loan.breaker = { ...breaker, trial: null };
      if (permits === 0) continue;
      at(now() + DEAD_THREAD_MS, () => {
        loan.out -= permits;
        lend(loan);
        drop(loan);
      });
    }
  }

  /** Gives what is free to those who wait, in turns; then asks for idle connections for the others. */
  function lend(loan: Loan): void {
    while (loan.out < Math.min(maximum(loan), connectionsAt(loan.breaker, now()))) {
      const [first] = loan.waiting;
      if (first === undefined) break;
      const [thread, permits] = first;
      loan.waiting.delete(thread);
      if (permits > 1) loan.waiting.set(thread, permits - 1);
      give(loan, thread);
    }
    if (loan.out < maximum(loan) && loan.waiting.size > 0) awaitStep(loan);
    else recall(loan);
  }

  /** Those who wait do so for the breaker: nobody else's connection would help them. */
  function awaitStep(loan: Loan): void {
    if (loan.breaker.kind !== 'recovering') return;
    const stepMs = nextStepMs(loan.breaker, now());
    if (loan.nextStepMs <= stepMs) return;
    loan.nextStepMs = stepMs;
    at(stepMs, () => {
      loan.nextStepMs = Number.POSITIVE_INFINITY;
      lend(loan);
    });
  }

  function give(loan: Loan, thread: number): void {
    add(loan.held, thread, 1);
    loan.out++;
    send(thread, { kind: 'lend', loan: loan.name });
  }

  function maximum({ profile, enough }: Loan): number {
    const allowed = terms.of(profile)?.maximum ?? 0;
    return now() < enough.untilMs ? Math.min(allowed, enough.connections) : allowed;
  }

  function drop(loan: Loan): void {
    if (loan.destinations > 0 || loan.out > 0 || loan.waiting.size > 0) return;
    loans.delete(loan.name);
    terms.tidy();
  }

  function report(): LoanReport[] {
    return [...loans.values()].map((loan) => ({
      profile: loan.profile,
      server: loan.server,
      maximum: maximum(loan),
      held: loan.out,
      waiting: sum(loan.waiting),
      breaker: isShut(loan.breaker) ? loan.breaker.kind : 'closed',
      leftAloneMs: loan.breaker.kind === 'open' ? Math.max(0, loan.breaker.untilMs - now()) : 0,
    }));
  }

  return { learn, renew, forget, borrow, answered, returned, lost, report };
}
