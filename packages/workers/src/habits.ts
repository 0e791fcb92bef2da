/** What servers taught us about themselves, one record a profile and server, shared by the thread's actors. */
import type { Probe } from '@callahead/core';
import { LRUCache } from 'lru-cache';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** A rejection that takes longer is meant to (a tarpit), and so many quick ones in a row show that it is so no more. */
const SLOW_REJECTION_MS = 1_000;
const QUICK_REJECTIONS = 10;
/** Servers remembered by one thread; the one not met for longest is forgotten. */
const MAX_SERVERS = 10_000;

export type Habits = Readonly<{
  /** Recipients that one transaction may have. */
  transactionLimit(probe: Probe): number;
  /** It said "enough" after this many accepted recipients: believed for 10 minutes (SPEC 4.4). */
  saidEnough(accepted: number): void;
  /** It takes one recipient a transaction: believed for a day (SPEC 4.5). */
  takesOne(): boolean;
  tookOne(): void;
  sharedIsSafe(): boolean;
  /** Its 5xx in a shared transaction was true: believed for a day (SPEC 4.5). */
  answersTruly(): void;
  sender(probe: Probe): string;
  /** It refuses `sender`; true: there is another one to try (SPEC 4.3). */
  refusesSender(probe: Probe, sender: string): boolean;
  /** It offers TLS that breaks where TLS is optional: believed for 10 minutes (SPEC 9.1). */
  breaksTls(): boolean;
  brokeTls(): void;
  /** One RCPT was answered, so long after the answer before it. */
  answered(rejected: boolean, tookMs: number): void;
  /** The share of recipients it rejected lately, above 0 and at most 1. */
  rejectionShare(): number;
  /** It takes its time to reject: those who wait behind a rejection would wait for nothing. Believed for 10 minutes, or until it rejects quickly again. */
  rejectsSlowly(): boolean;
}>;

export function createHabits(now: () => number): (loan: string) => Habits {
  const known = new LRUCache<string, Habits>({ max: MAX_SERVERS });
  return (loan) => {
    const found = known.get(loan);
    if (found !== undefined) return found;
    const habits = habitsOfOne(now);
    known.set(loan, habits);
    return habits;
  };
}

function habitsOfOne(now: () => number): Habits {
  let limit = Number.POSITIVE_INFINITY;
  let limitUntilMs = 0;
  let oneUntilMs = 0;
  let safeUntilMs = 0;
  let fallbackUntilMs = 0;
  let fallbackFor = '';
  let plainUntilMs = 0;
  let asked = 0;
  let rejections = 0;
  let slowUntilMs = 0;
  let quick = 0;

  function transactionLimit(probe: Probe): number {
    if (now() < oneUntilMs) return 1;
    return Math.min(probe.maxRecipientsPerTransaction, now() < limitUntilMs ? limit : Number.POSITIVE_INFINITY);
  }

  function sender(probe: Probe): string {
    const refused = now() < fallbackUntilMs && fallbackFor === probe.mailFrom;
    return refused ? (probe.mailFromFallback ?? probe.mailFrom) : probe.mailFrom;
  }

  function refusesSender(probe: Probe, refused: string): boolean {
    const another = probe.mailFromFallback !== null && refused !== probe.mailFromFallback;
    fallbackUntilMs = another ? now() + DAY_MS : 0;
    fallbackFor = probe.mailFrom;
    return another;
  }

  function answered(rejected: boolean, tookMs: number): void {
    asked++;
    if (rejected) reject(tookMs);
    if (asked < 200) return;
    asked /= 2;
    rejections /= 2;
  }

  function reject(tookMs: number): void {
    rejections++;
    const isSlow = tookMs > SLOW_REJECTION_MS;
    quick = isSlow ? 0 : quick + 1;
    if (isSlow) slowUntilMs = now() + 10 * MINUTE_MS;
    else if (quick >= QUICK_REJECTIONS) slowUntilMs = 0;
  }

  return {
    transactionLimit,
    saidEnough(accepted) {
      limit = Math.max(1, accepted);
      limitUntilMs = now() + 10 * MINUTE_MS;
    },
    takesOne: () => now() < oneUntilMs,
    tookOne() {
      oneUntilMs = now() + DAY_MS;
      safeUntilMs = 0;
    },
    sharedIsSafe: () => now() < safeUntilMs,
    answersTruly() {
      safeUntilMs = now() + DAY_MS;
    },
    sender,
    refusesSender,
    breaksTls: () => now() < plainUntilMs,
    brokeTls() {
      plainUntilMs = now() + 10 * MINUTE_MS;
    },
    answered,
    rejectionShare: () => (rejections + 0.1) / (asked + 1),
    rejectsSlowly: () => slowUntilMs > 0 && now() < slowUntilMs,
  };
}
