/** What the page gets from docs/api.md: the shapes are the server's own, none of its code. */
import type { CacheEntryShown } from '../../src/shown.ts';

export type { Explanation, Reply, Step, Verdict, VerdictCounts } from '@callahead/core';
export type { Changes } from '../../src/operations.ts';
export type { Reading, ReadingsTold } from '../../src/readings.ts';
export type { VerdictRow } from '../../src/recent.ts';
export type { CacheEntryShown } from '../../src/shown.ts';
export type { ServerStatus, Status } from '../../src/status.ts';

/** What is told instead of an answer; some of it is the page's own. */
export type Problem = Readonly<{
  kind: string;
  message: string;
  /** Of a configuration that was refused. */
  problems?: readonly string[];
}>;

export type CacheAnswer = Readonly<{ recipient: string; entries: readonly CacheEntryShown[] }>;

/** Which cached verdicts to forget; the body of a flush. */
export type Flush =
  | Readonly<{ recipient: string }>
  | Readonly<{ domain: string }>
  | Readonly<{ server: string }>
  | Readonly<{ negative: true }>
  | Readonly<{ all: true }>;
