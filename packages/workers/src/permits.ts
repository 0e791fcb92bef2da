/** The thread's side of the loans: who waits for a permit, and who has one. The limit itself is kept by the main half (SPEC 8.2). */
import type { LoanOutcome, ToMain } from '@callahead/core';

/** Somebody who borrows: the sessions of one destination with one server. */
export type Borrower = Readonly<{
  lend(): void;
  deny(untilMs: number): void;
  /** Closes an idle connection; false: there is none. */
  closeIdle(): boolean;
  /** Closes one as soon as it is idle. */
  closeNext(): void;
}>;

export type Permits = Readonly<{
  borrow(loan: string, borrower: Borrower): void;
  giveBack(loan: string, borrower: Borrower, outcome: LoanOutcome): void;
  lend(loan: string): void;
  deny(loan: string, untilMs: number): void;
  recall(loan: string): void;
}>;

export function createPermits(post: (message: ToMain) => void): Permits {
  /** Permits each borrower waits for. The one that comes first is served next and then goes to the end. */
  const waiting = new Map<string, Map<Borrower, number>>();
  /** Permits each borrower has. */
  const lent = new Map<string, Map<Borrower, number>>();

  function borrow(loan: string, borrower: Borrower): void {
    count(waiting, loan, borrower, 1);
    post({ kind: 'borrow', loan });
  }

  /** Each `borrow` is answered once, in turn. */
  function first(loan: string): Borrower | null {
    const line = waiting.get(loan);
    const [next] = line ?? [];
    if (line === undefined || next === undefined) return null;
    const [borrower, permits] = next;
    line.delete(borrower);
    if (permits > 1) line.set(borrower, permits - 1);
    else if (line.size === 0) waiting.delete(loan);
    return borrower;
  }

  function lend(loan: string): void {
    const borrower = first(loan);
    if (borrower === null) {
      post({ kind: 'returned', loan, outcome: 'closed' });
      return;
    }
    count(lent, loan, borrower, 1);
    borrower.lend();
  }

  function giveBack(loan: string, borrower: Borrower, outcome: LoanOutcome): void {
    count(lent, loan, borrower, -1);
    post({ kind: 'returned', loan, outcome });
  }

  /** One that is idle, of whoever has one; else the next one that becomes idle of who has most. */
  function recall(loan: string): void {
    const borrowers = [...(lent.get(loan) ?? [])].sort(([, a], [, b]) => b - a);
    for (const [borrower] of borrowers) if (borrower.closeIdle()) return;
    borrowers[0]?.[0].closeNext();
  }

  return { borrow, giveBack, lend, deny: (loan, untilMs) => first(loan)?.deny(untilMs), recall };
}

type Counts = Map<string, Map<Borrower, number>>;

function count(counts: Counts, loan: string, borrower: Borrower, by: number): void {
  const borrowers = counts.get(loan) ?? new Map<Borrower, number>();
  const permits = (borrowers.get(borrower) ?? 0) + by;
  if (permits > 0) borrowers.set(borrower, permits);
  else borrowers.delete(borrower);
  if (borrowers.size > 0) counts.set(loan, borrowers);
  else counts.delete(loan);
}
