import type { Histogram } from './histogram.ts';
import type { Probe } from './profile.ts';
import type { VerdictCounts } from './report.ts';
import type { Flush, Route } from './route.ts';
import type { Step } from './step.ts';
import type { Verdict } from './verdict.ts';

/** One entry of a verdict cache, as `lookup` shows it. `ageMs` and `ttlMs` at the time of the answer. */
export type CacheEntry = Readonly<{
  profile: string;
  destination: string;
  recipient: string;
  verdict: Verdict;
  ageMs: number;
  ttlMs: number;
}>;

/** What one destination's shard is doing. */
export type DestinationReport = Readonly<{
  key: string;
  waiting: number;
  asking: number;
  sessions: Readonly<{ connecting: number; idle: number; busy: number }>;
  servers: readonly Readonly<{ server: string; connecting: number; idle: number; busy: number }>[];
}>;

/** The connections of one profile to one server, over all of a thread's destinations. */
export type ServerConnections = Readonly<{
  profile: string;
  server: string;
  connecting: number;
  idle: number;
  busy: number;
}>;

/** What one thread is doing: its busiest destinations, and its connections to the servers that have most. */
export type ThreadReport = Readonly<{
  destinations: readonly DestinationReport[];
  servers: readonly ServerConnections[];
  caches: readonly Readonly<{ profile: string; positive: number; negative: number }>[];
}>;

/** What a thread has counted of one destination since it last said so: verdicts given, how many of them from a cache, probes ahead of an answer's end, answers given after theirs, what servers said and how long it took. */
export type DestinationCounts = Readonly<{
  destination: number;
  verdicts: VerdictCounts;
  cached: number;
  refreshed: number;
  stale: number;
  servers: readonly Readonly<{ server: string; probes: VerdictCounts; took: Histogram }>[];
}>;

/**
 * Cached answers of one destination as they outlive a restart, in columns. Times are those of `performance.now()` between threads, and of the wall
 * clock in a file. `settings`: what they depend on besides the destination.
 */
export type SavedAnswers = Readonly<{
  profile: string;
  destination: string;
  settings: string;
  recipients: readonly string[];
  verdicts: readonly Verdict[];
  storedAtMs: readonly number[];
  expiresAtMs: readonly number[];
}>;

/** The answer to a question; `question` numbers come from the main thread. */
export type Answer =
  | Readonly<{ kind: 'flushed'; entries: number }>
  | Readonly<{ kind: 'found'; entries: readonly CacheEntry[] }>
  | Readonly<{ kind: 'report'; report: ThreadReport }>
  /** A piece of what the caches hold; an empty one is the last. */
  | Readonly<{ kind: 'dumped'; answers: readonly SavedAnswers[] }>;

/** A loan's name is the profile and the server, `loanName(profile, server)`. */
export function loanName(profile: string, server: string): string {
  return `${profile} ${server}`;
}

/**
 * How a returned connection ended: `failed` never gave a RCPT reply though it was asked to (SPEC 8.5 counts those); `idle` was recalled while it had
 * nothing to do; `closed` is every other end.
 */
export type LoanOutcome = 'closed' | 'idle' | 'failed';

/** Main thread to worker thread. Asks travel as columns, one batch a turn (SPEC 8.1). `traced`: the ids whose steps are wanted; `fresh`: those that neither read nor leave anything in a cache, and share no probe. */
export type ToWorker =
  | Readonly<{ kind: 'destination'; destination: number; route: Route }>
  /** The newest configuration's profiles, all of them: their destinations go by these settings, and what is cached for other profiles is forgotten. */
  | Readonly<{ kind: 'profiles'; generation: number; probes: Readonly<Record<string, Probe>> }>
  | Readonly<{
      kind: 'asks';
      ids: readonly number[];
      destinations: readonly number[];
      recipients: readonly string[];
      deadlinesMs: readonly number[];
      traced: readonly number[];
      fresh: readonly number[];
    }>
  | Readonly<{ kind: 'learn'; destination: number; recipient: string; verdict: Verdict }>
  | Readonly<{ kind: 'lend' | 'recall'; loan: string }>
  | Readonly<{ kind: 'deny'; loan: string; untilMs: number }>
  | Readonly<{ kind: 'flush'; question: number; what: Flush }>
  | Readonly<{ kind: 'lookup'; question: number; recipient: string }>
  | Readonly<{ kind: 'report'; question: number }>
  /** The next piece of what the caches hold, the first one where `first`. */
  | Readonly<{ kind: 'dump'; question: number; first: boolean }>
  /** What is not known better goes into the cache. */
  | Readonly<{ kind: 'restore'; destination: number; answers: SavedAnswers }>
  | Readonly<{ kind: 'forget'; destination: number }>
  | Readonly<{ kind: 'drain'; deadlineMs: number }>;

/** Worker thread to main thread. Exactly one verdict for each id asked. */
export type ToMain =
  | Readonly<{ kind: 'verdicts'; ids: readonly number[]; verdicts: readonly Verdict[] }>
  /** `answered`: the server answered a RCPT; a session says so at the first one, and now and then while it goes on. */
  | Readonly<{ kind: 'borrow' | 'answered'; loan: string }>
  | Readonly<{ kind: 'returned'; loan: string; outcome: LoanOutcome }>
  | Readonly<{ kind: 'step'; id: number; step: Step }>
  | Readonly<{ kind: 'dialogue'; ref: string; recipient: string; server: string; lines: readonly string[] }>
  | Readonly<{ kind: 'answer'; question: number; answer: Answer }>
  /** An actor threw and was rebuilt; its waiting recipients were asked again or failed. */
  | Readonly<{ kind: 'crash'; destination: number; error: string }>
  /** Once a second. `lagMs`: the most by which the thread's clock was late since the last time. */
  | Readonly<{ kind: 'counts'; destinations: readonly DestinationCounts[]; heapBytes: number; lagMs: number }>
  | Readonly<{ kind: 'beat' }>
  /** Every session of the thread is closed: the answer to `drain`. */
  | Readonly<{ kind: 'drained' }>;
