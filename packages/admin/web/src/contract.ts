/** What the page gets from docs/api.md. The shapes of status, readings and rows are the server's own. */

import type { Reading } from '../../src/readings.ts';

export type { Reading, ReadingsTold } from '../../src/readings.ts';
export type { VerdictRow } from '../../src/recent.ts';
export type { ServerStatus, Status } from '../../src/status.ts';

export type VerdictCounts = Reading['verdicts'];

export type Problem = Readonly<{
  kind: string;
  message: string;
  /** Of a configuration that was refused. */
  problems?: readonly string[];
}>;

export type CacheEntry = Readonly<{
  profile: string;
  destination: string;
  recipient: string;
  kind: string;
  server: string;
  reply: string | null;
  ref: string;
  ageSeconds: number;
  ttlSeconds: number;
}>;

export type CacheAnswer = Readonly<{ recipient: string; entries: readonly CacheEntry[] }>;

export type Step = Readonly<{ stage: string; atMs: number; facts: Readonly<Record<string, string>> }>;

export type Reply = Readonly<{ code: number; enhanced: string | null; text: string }>;

export type Explanation = Readonly<{
  recipient: string;
  listener: string;
  client: string | null;
  steps: readonly Step[];
  dialogue: readonly string[];
  verdict: Readonly<{
    kind: string;
    source: string;
    server: string;
    reply?: Reply;
    cause?: string;
    detail?: string;
  }> | null;
  cached: Readonly<{ forMs: number }> | null;
  reply: Reply;
  delivery:
    | Readonly<{ kind: 'host'; recipient: string; tiers: readonly (readonly string[])[] }>
    | Readonly<{ kind: 'discard' }>
    | Readonly<{ kind: 'none'; detail: string }>
    | null;
}>;

/** Which cached verdicts to forget; the body of a flush. */
export type Flush =
  | Readonly<{ recipient: string }>
  | Readonly<{ domain: string }>
  | Readonly<{ server: string }>
  | Readonly<{ negative: true }>
  | Readonly<{ all: true }>;

export type Reloaded = Readonly<{
  generation: number;
  opened: readonly string[];
  closed: readonly string[];
  kept: readonly string[];
  restart: readonly string[];
}>;
