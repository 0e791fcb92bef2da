import type { Histogram } from './histogram.ts';
import type { ThreadReport } from './message.ts';
import type { VerdictKind } from './verdict.ts';

/** How many of each kind. Counted in place. */
export type VerdictCounts = Record<VerdictKind, number>;

export function noVerdicts(): VerdictCounts {
  return { valid: 0, unknown: 0, refused: 0, temporary: 0, failed: 0 };
}

export function addVerdicts(into: VerdictCounts, more: Readonly<VerdictCounts>): void {
  into.valid += more.valid;
  into.unknown += more.unknown;
  into.refused += more.refused;
  into.temporary += more.temporary;
  into.failed += more.failed;
}

/** What the permits for the connections of one profile to one server are doing (SPEC 8.2, 8.5). `leftAloneMs`: how long the breaker keeps it so, 0 when it does not. */
export type LoanReport = Readonly<{
  profile: string;
  server: string;
  maximum: number;
  held: number;
  waiting: number;
  breaker: 'closed' | 'open' | 'half-open';
  leftAloneMs: number;
}>;

/** What was said about the recipients of one destination. `cached`: how many of the verdicts came from a cache; `stale`: how many of those were past their time, where no server answered. `refreshed`: how often a server was asked before an answer's end. */
export type DestinationTotals = Readonly<{
  profile: string;
  destination: string;
  verdicts: VerdictCounts;
  cached: number;
  refreshed: number;
  stale: number;
}>;

/** What one server said, and how long it took from its turn to that. */
export type ServerTotals = Readonly<{ profile: string; server: string; probes: VerdictCounts; took: Histogram }>;

/** The name of all destinations, or servers, that are not among the busiest. */
export const OTHERS = 'other';

/** What the threads have counted since they began: of the busiest, and of all others of a profile together. */
export type Totals = Readonly<{ destinations: readonly DestinationTotals[]; servers: readonly ServerTotals[] }>;

/** How a thread feels: the heap that it uses in octets, and the longest that its clock was late in the last ten seconds or so. */
export type Vitals = Readonly<{ thread: number; heapBytes: number; lagMs: number }>;

/** What the engine is doing. `asking` counts asks at the threads, `waiting` those that wait for a credit; `threads` has those that answered. */
export type EngineReport = Readonly<{
  asking: number;
  waiting: number;
  destinations: number;
  threads: readonly ThreadReport[];
  loans: readonly LoanReport[];
  totals: Totals;
  vitals: readonly Vitals[];
}>;
