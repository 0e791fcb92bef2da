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
  const waiting = new Map<string, Borrower[]>();
  /** Permits each borrower has. */
  const lent = new Map<string, Map<Borrower, number>>();

  function borrow(loan: string, borrower: Borrower): void {
    const line = waiting.get(loan) ?? [];
    line.push(borrower);
    waiting.set(loan, line);
    post({ kind: 'borrow', loan });
  }

  /** Each `borrow` is answered once, in turn. */
  function first(loan: string): Borrower | null {
    const line = waiting.get(loan) ?? [];
    const borrower = line.shift() ?? null;
    if (line.length === 0) waiting.delete(loan);
    return borrower;
  }

  function lend(loan: string): void {
    const borrower = first(loan);
    if (borrower === null) {
      post({ kind: 'returned', loan, outcome: 'closed' });
      return;
    }
    count(loan, borrower, 1);
    borrower.lend();
  }

  function giveBack(loan: string, borrower: Borrower, outcome: LoanOutcome): void {
    count(loan, borrower, -1);
    post({ kind: 'returned', loan, outcome });
  }

  function count(loan: string, borrower: Borrower, by: number): void {
    const borrowers = lent.get(loan) ?? new Map<Borrower, number>();
    const permits = (borrowers.get(borrower) ?? 0) + by;
    if (permits > 0) borrowers.set(borrower, permits);
    else borrowers.delete(borrower);
    if (borrowers.size > 0) lent.set(loan, borrowers);
    else lent.delete(loan);
  }

  function recall(loan: string): void {
    const borrowers = lent.get(loan) ?? new Map<Borrower, number>();
    for (const borrower of borrowers.keys()) if (borrower.closeIdle()) return;
    const [any] = borrowers.keys();
    any?.closeNext();
  }

  return { borrow, giveBack, lend, deny: (loan, untilMs) => first(loan)?.deny(untilMs), recall };
}
