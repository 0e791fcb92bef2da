/** Counts what happens, event by event: plain numbers in places that are found once, since a busy gateway has tens of thousands of events a second. */
import {
  type CheckedRecipient,
  createHistogram,
  type Event,
  type Histogram,
  observe,
  type ShedReason,
  type Source,
  type VerdictCounts,
  type VerdictKind,
} from '@callahead/core';

export type ListenerCounts = {
  sessions: number;
  /** Clients that there was no room for. */
  readonly shed: Record<ShedReason, number>;
  clientErrors: number;
  relayed: number;
  refused: number;
  discarded: number;
  bytes: number;
  /** To RCPT, by code. */
  readonly replies: Map<number, number>;
  /** Refused recipients, by reason. */
  readonly reasons: Map<string, number>;
  /** Clients that harvest protection blocked, by sender group. */
  readonly crossings: Map<string, number>;
};

export type ProfileCounts = Readonly<{
  verdicts: Readonly<Record<VerdictKind, Record<Source, number>>>;
  took: Histogram;
}> & { breakerOpenings: number };

export type Offender = Readonly<{
  client: string;
  listener: string;
  group: string;
  count: number;
  at: string;
  samples: readonly string[];
}>;

/** What became of the messages that were sent. */
export type Messages = Readonly<{ relayed: number; refused: number; discarded: number; bytes: number }>;

export type Counting = Readonly<{
  count(event: Event): void;
  listeners: ReadonlyMap<string, ListenerCounts>;
  profiles: ReadonlyMap<string, ProfileCounts>;
  /** Is the directory of that name up? */
  directories: ReadonlyMap<string, boolean>;
  threadReplacements(): number;
  actorCrashes(): number;
  /** Newest first. */
  offenders(): readonly Offender[];
}>;

const MOST_OFFENDERS = 50;

/** `wallMs`: milliseconds since 1970. */
export function createCounting(wallMs: () => number): Counting {
  const listeners = new Map<string, ListenerCounts>();
  const profiles = new Map<string, ProfileCounts>();
  const directories = new Map<string, boolean>();
  const offenders: Offender[] = [];
  let threadReplacements = 0;
  let actorCrashes = 0;

  const listener = (name: string): ListenerCounts => countsOf(name, listeners, noListenerCounts);
  const profile = (name: string): ProfileCounts => countsOf(name, profiles, noProfileCounts);

  function recipient({ kind, source, profile: name, tookMs }: CheckedRecipient): void {
    if (source === '' || kind === 'bypassed' || kind === 'unchecked' || kind === 'unasked') return;
    const { verdicts, took } = profile(name);
    verdicts[kind][source]++;
    observe(took, tookMs / 1_000);
  }

  function count(event: Event): void {
    switch (event.event) {
      case 'recipient.accepted':
        add(listener(event.listener).replies, event.code);
        recipient(event);
        return;
      case 'recipient.rejected': {
        const { replies, reasons } = listener(event.listener);
        add(replies, event.code);
        add(reasons, event.reason);
        recipient(event);
        return;
      }
      case 'session.opened':
        listener(event.listener).sessions++;
        return;
      case 'session.shed':
        listener(event.listener).shed[event.reason] += event.count;
        return;
      case 'client.error':
        listener(event.listener).clientErrors++;
        return;
      case 'message.relayed': {
        const counts = listener(event.listener);
        counts.relayed++;
        counts.bytes += event.bytes;
        return;
      }
      case 'message.refused':
        listener(event.listener).refused++;
        return;
      case 'message.discarded':
        listener(event.listener).discarded++;
        return;
      case 'breaker.opened':
        profile(event.profile).breakerOpenings++;
        return;
      case 'dhap.blocked': {
        const { client, listener: name, group, count: invalid, samples } = event;
        add(listener(name).crossings, group);
        const at = new Date(wallMs()).toISOString();
        offenders.unshift({ client, listener: name, group, count: invalid, at, samples });
        offenders.splice(MOST_OFFENDERS);
        return;
      }
      case 'directory.up':
      case 'directory.down':
        directories.set(event.server, event.event === 'directory.up');
        return;
      case 'thread.replaced':
        threadReplacements++;
        return;
      case 'actor.crashed':
        actorCrashes++;
    }
  }

  return {
    count,
    listeners,
    profiles,
    directories,
    threadReplacements: () => threadReplacements,
    actorCrashes: () => actorCrashes,
    offenders: () => offenders,
  };
}

export function noListenerCounts(): ListenerCounts {
  const counts = { sessions: 0, clientErrors: 0, relayed: 0, refused: 0, discarded: 0, bytes: 0 };
  return {
    ...counts,
    shed: { sessions: 0, overload: 0 },
    replies: new Map(),
    reasons: new Map(),
    crossings: new Map(),
  };
}

export function noProfileCounts(): ProfileCounts {
  const sources = () => ({ server: 0, cache: 0, shared: 0, routing: 0, delivery: 0 });
  return {
    verdicts: { valid: sources(), unknown: sources(), refused: sources(), temporary: sources(), failed: sources() },
    took: createHistogram(),
    breakerOpenings: 0,
  };
}

export function kindsOf({ verdicts }: ProfileCounts): VerdictCounts {
  const sum = (counts: Readonly<Record<Source, number>>): number =>
    counts.server + counts.cache + counts.shared + counts.routing + counts.delivery;
  return {
    valid: sum(verdicts.valid),
    unknown: sum(verdicts.unknown),
    refused: sum(verdicts.refused),
    temporary: sum(verdicts.temporary),
    failed: sum(verdicts.failed),
  };
}

/** How often each source gave a verdict. */
export function sourcesOf({ verdicts }: ProfileCounts): Record<Source, number> {
  const sources = { server: 0, cache: 0, shared: 0, routing: 0, delivery: 0 };
  for (const counts of Object.values(verdicts)) {
    sources.server += counts.server;
    sources.cache += counts.cache;
    sources.shared += counts.shared;
    sources.routing += counts.routing;
    sources.delivery += counts.delivery;
  }
  return sources;
}

/** Of all listeners. */
export function messagesOf({ listeners }: Counting): Messages {
  const sum = { relayed: 0, refused: 0, discarded: 0, bytes: 0 };
  for (const { relayed, refused, discarded, bytes } of listeners.values()) {
    sum.relayed += relayed;
    sum.refused += refused;
    sum.discarded += discarded;
    sum.bytes += bytes;
  }
  return sum;
}

function countsOf<Counts>(name: string, all: Map<string, Counts>, create: () => Counts): Counts {
  const known = all.get(name);
  if (known !== undefined) return known;
  const counts = create();
  all.set(name, counts);
  return counts;
}

function add<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
