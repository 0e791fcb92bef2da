import { type Breaker, CLOSED } from './breaker.ts';
import type { Shares } from './shares.ts';

/** What is lent of the connections to one server of a profile. */
export type Loan = Shares & {
  readonly name: string;
  readonly profile: string;
  readonly server: string;
  /** How many destinations have this server. */
  destinations: number;
  /** Permits that are out, those of dead threads too until their time is over. */
  out: number;
  /** When one was last recalled for somebody else. */
  recalledMs: number;
  /** When somebody looks whether one may be recalled. */
  lookAgainMs: number;
  /** When somebody looks whether a recovering server may have more. */
  nextStepMs: number;
  answeredMs: number;
  /** How many connections the server has shown to be enough, and for how long that is believed. */
  enough: Readonly<{ connections: number; untilMs: number }>;
  breaker: Breaker;
};

export function createLoan(name: string, profile: string, server: string): Loan {
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
    nextStepMs: Number.POSITIVE_INFINITY,
    answeredMs: Number.NEGATIVE_INFINITY,
    enough: { connections: 0, untilMs: Number.NEGATIVE_INFINITY },
    breaker: CLOSED,
  };
}
