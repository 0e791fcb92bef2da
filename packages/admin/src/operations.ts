import type {
  CacheEntry,
  Configuration,
  EngineReport,
  Explanation,
  Flush,
  ListenerSettings,
  Profile,
  Recipient,
  Verdict,
} from '@callahead/core';

import type { CanaryState } from './canary.ts';

/** `overloaded`: new sessions are told to come back later. */
export type State = 'ready' | 'overloaded' | 'stopping';

/** A front door at this moment. `sockets` as `host:port`. */
export type ListenerState = Readonly<{
  name: string;
  sockets: readonly string[];
  profile: string | null;
  sessions: number;
}>;

/** `restart`: keys that count only after a restart. `opened`, `closed`, `kept`: sockets as `LISTENER host:port`. */
export type Changes = Readonly<{
  generation: number;
  opened: readonly string[];
  closed: readonly string[];
  kept: readonly string[];
  restart: readonly string[];
}>;

export type Reloaded =
  | (Readonly<{ kind: 'reloaded' }> & Changes)
  | Readonly<{ kind: 'refused'; problems: readonly string[] }>;

/** Everything that the API shows of a gateway and lets one do with it. What is asked of it has been checked. None of them rejects on a good day. */
export type Operations = Readonly<{
  /** The one that is in force now. */
  configuration(): Configuration;
  listeners(): readonly ListenerState[];
  state(): State;
  report(): Promise<EngineReport>;
  canaries(): readonly CanaryState[];
  lookup(recipient: Recipient): Promise<readonly CacheEntry[]>;
  /** How many verdicts are forgotten, in all threads; routing's caches too. */
  flush(what: Flush): Promise<number>;
  /** As a recipient of the listener's would be asked about, caches included; by the profile's validation timeout. */
  verify(question: Readonly<{ recipient: Recipient; profile: Profile; listener: string }>): Promise<Verdict>;
  /** As `callahead explain` does it. `client` is an IP address. */
  explain(
    question: Readonly<{ address: string; settings: ListenerSettings; client: string | null; dry: boolean }>,
  ): Promise<Explanation>;
  /** Puts the configuration file to work as it is now, or changes nothing. */
  reload(): Promise<Reloaded>;
}>;
