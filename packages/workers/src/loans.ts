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
import { createTerms } from './terms.ts';

/** How long the connections of a dead thread count as open: the system needs a moment to close them. */
const DEAD_THREAD_MS = 250;
const FIRST_PAUSE_MS = 1_000;
/** When to ask again while another one tries the server, or where the server is not known here. */
const ASK_AGAIN_MS = 250;
/**
 * A connection is worth several round trips: those who share a server that is too small for them must not pass connections around after every
 * batch. So recalls keep a distance in time, a long one where none of them is worse off than the others; none where the last one met an idle connection.
 */
const PRESSING_RECALL_MS = 100;
const RECALL_MS = 1_000;
/** A server that answered a RCPT so lately and refuses one more connection has enough of them; then it is not offered more for a while. */
const ANSWERING_MS = 5_000;
const ENOUGH_MS = 10_000;

type Breaker =
  | Readonly<{ kind: 'closed'; failures: number }>
  | Readonly<{ kind: 'open'; untilMs: number; pauseMs: number }>
  /** `trial`: the thread that holds the one permit; null: the next borrower gets it. */
  | Readonly<{ kind: 'half-open'; trial: number | null; pauseMs: number }>;

type Loan = {
  readonly name: string;
  readonly profile: string;
  readonly server: string;
  /** How many destinations have this server. */
  destinations: number;
  /** Permits that are out, those of dead threads too until their time is over. */
  out: number;
  readonly held: Map<number, number>;
  /** Permits each thread waits for. The thread that comes first is served next and then goes to the end. */
  readonly waiting: Map<number, number>;
  readonly recalled: Map<number, number>;
  /** When one was last recalled for somebody else. */
  recalledMs: number;
  /** When somebody looks whether one may be recalled. */
  lookAgainMs: number;
  answeredMs: number;
  /** How many connections the server has shown to be enough, and for how long that is believed. */
  enough: Readonly<{ connections: number; untilMs: number }>;
  breaker: Breaker;
};

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
    if (breaker.kind === 'closed') {
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
    if (loan.breaker.kind !== 'closed') {
      emit({ event: 'breaker.closed', profile: loan.profile, server: loan.server, untilMs: now() });
    }
    loan.breaker = { kind: 'closed', failures: 0 };
    loan.answeredMs = now();
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
    if (breaker.kind === 'closed' && outcome === 'failed' && answersOthers(loan)) {
      loan.enough = { connections: loan.out, untilMs: now() + ENOUGH_MS };
      at(loan.enough.untilMs, () => lend(loan));
    } else if (breaker.kind === 'closed' && outcome === 'failed') {
      const failures = breaker.failures + 1;
      loan.breaker = { kind: 'closed', failures };
      if (failures >= (terms.of(loan.profile)?.failures ?? 1)) open(loan, FIRST_PAUSE_MS);
    }
    // An older connection that ends now says nothing about the trial, unless the thread of the trial holds both: then it is taken for it.
    if (breaker.kind !== 'half-open' || breaker.trial !== thread) return;
    if (outcome === 'failed') open(loan, breaker.pauseMs * 2);
    else loan.breaker = { ...breaker, trial: null };
  }

  function answersOthers(loan: Loan): boolean {
    return loan.out > 0 && now() - loan.answeredMs < ANSWERING_MS;
  }

  function open(loan: Loan, pauseMs: number): void {
    const bounded = Math.min(pauseMs, terms.of(loan.profile)?.maxPauseMs ?? pauseMs);
    const untilMs = now() + bounded;
    loan.breaker = { kind: 'open', untilMs, pauseMs: bounded };
    emit({ event: 'breaker.opened', profile: loan.profile, server: loan.server, untilMs });
    for (const [thread, permits] of loan.waiting) {
      for (let i = 0; i < permits; i++) deny(thread, loan.name, untilMs);
    }
    loan.waiting.clear();
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
    while (loan.out < maximum(loan)) {
      const [first] = loan.waiting;
      if (first === undefined) break;
      const [thread, permits] = first;
      loan.waiting.delete(thread);
      if (permits > 1) loan.waiting.set(thread, permits - 1);
      give(loan, thread);
    }
    recall(loan);
  }

  function give(loan: Loan, thread: number): void {
    add(loan.held, thread, 1);
    loan.out++;
    send(thread, { kind: 'lend', loan: loan.name });
  }

  /** One for each permit over a maximum that a reload has lowered, and by and by one for each thread that waits. */
  function recall(loan: Loan): void {
    const over = Math.max(0, loan.out - maximum(loan));
    while (sum(loan.recalled) < over && recallOne(loan));
    if (sum(loan.recalled) >= over + loan.waiting.size) return;
    const dueMs = loan.recalledMs + (isPressing(loan) ? PRESSING_RECALL_MS : RECALL_MS);
    if (dueMs <= now() && recallOne(loan)) loan.recalledMs = now();
    if (sum(loan.recalled) >= over + loan.waiting.size) return;
    // It may press by now, when an earlier look was planned for later.
    const againMs = Math.max(dueMs, now() + PRESSING_RECALL_MS);
    if (loan.lookAgainMs <= againMs) return;
    loan.lookAgainMs = againMs;
    at(againMs, () => {
      loan.lookAgainMs = Number.POSITIVE_INFINITY;
      recall(loan);
    });
  }

  function recallOne(loan: Loan): boolean {
    const holder = biggestHolder(loan);
    if (holder === null) return false;
    add(loan.recalled, holder, 1);
    send(holder, { kind: 'recall', loan: loan.name });
    return true;
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
      breaker: loan.breaker.kind,
      leftAloneMs: loan.breaker.kind === 'open' ? Math.max(0, loan.breaker.untilMs - now()) : 0,
    }));
  }

  return { learn, renew, forget, borrow, answered, returned, lost, report };
}

function createLoan(name: string, profile: string, server: string): Loan {
  return {
    name,
    profile,
    server,
    destinations: 0,
    out: 0,
    held: new Map(),
    waiting: new Map(),
    recalled: new Map(),
    recalledMs: Number.NEGATIVE_INFINITY,
    lookAgainMs: Number.POSITIVE_INFINITY,
    answeredMs: Number.NEGATIVE_INFINITY,
    enough: { connections: 0, untilMs: Number.NEGATIVE_INFINITY },
    breaker: { kind: 'closed', failures: 0 },
  };
}

function biggestHolder(loan: Loan): number | null {
  let holder: number | null = null;
  let most = 0;
  for (const [thread, permits] of loan.held) {
    const left = permits - (loan.recalled.get(thread) ?? 0);
    if (left <= most) continue;
    most = left;
    holder = thread;
  }
  return holder;
}

/** A thread that waits has nothing, or clearly less than another. */
function isPressing(loan: Loan): boolean {
  const most = Math.max(0, ...loan.held.values());
  for (const thread of loan.waiting.keys()) {
    const permits = loan.held.get(thread) ?? 0;
    if (permits === 0 || most - permits >= 2) return true;
  }
  return false;
}

function sum(counts: ReadonlyMap<number, number>): number {
  let total = 0;
  for (const count of counts.values()) total += count;
  return total;
}

/** Counts up or down; a thread with nothing left is taken out. */
function add(counts: Map<number, number>, thread: number, change: number): void {
  const count = (counts.get(thread) ?? 0) + change;
  if (count <= 0) counts.delete(thread);
  else counts.set(thread, count);
}
