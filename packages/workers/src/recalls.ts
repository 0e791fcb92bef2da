/** Which connections are asked back, and when: for those who wait, and where a reload has lowered the maximum. */
import type { ToWorker } from '@callahead/core';
import type { Loan } from './loan.ts';
import { add, biggestHolder, isPressing, sum } from './shares.ts';

/**
 * A connection is worth several round trips: those who share a server that is too small for them must not pass connections around after every
 * batch. So recalls keep a distance in time, a long one where none of them is worse off than the others; none where the last one met an idle connection.
 */
const PRESSING_RECALL_MS = 100;
const RECALL_MS = 1_000;

export type RecallsOptions = Readonly<{
  now: () => number;
  at: (deadlineMs: number, run: () => void) => void;
  send: (thread: number, message: ToWorker) => unknown;
  maximum: (loan: Loan) => number;
}>;

/** One for each permit over a maximum that a reload has lowered, and by and by one for each thread that waits. */
export function createRecalls({ now, at, send, maximum }: RecallsOptions): (loan: Loan) => void {
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

  return recall;
}
