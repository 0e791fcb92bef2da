/** The verdict cache: one per profile and thread, shared by that profile's actors there (SPEC 4.10, 8.1). */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CacheEntry, Flush, Probe, SavedAnswers, Verdict } from '@callahead/core';
import { LRUCache } from 'lru-cache';
import { createEntries, type Entry } from './entries.ts';
import { cacheSettings, createSaved } from './saved-answers.ts';
import { stableHash } from './stable-hash.ts';

/** An answer from the cache: it is believed from the one time to the other. */
export type Kept = Readonly<{ verdict: Verdict; storedAtMs: number; expiresAtMs: number }>;

export type VerdictCache = Readonly<{
  get(destination: string, recipient: string, probe: Probe): Kept | null;
  /** A yes whose time is over since no longer than `staleIfError`, for who learns that no server answers. */
  stale(destination: string, recipient: string, probe: Probe): Verdict | null;
  /** Keeps what may be kept: valid, unknown, and refused where the profile wants it. A no that is not kept still ends a yes. */
  put(destination: string, recipient: string, verdict: Verdict, probe: Probe): void;
  /**
   * Forgets, from now on; settles with how many entries once all of them are gone. An answer to a question of an older `generation` must not be put
   * any more.
   */
  flush(what: Flush): Promise<number>;
  /** Goes by these settings from now on, and keeps what they do not change. */
  renew(probe: Probe): void;
  /** Counts the flushes. */
  generation(): number;
  /** Every entry about an address in canonical form, in any destination. */
  lookup(recipient: string): Promise<readonly CacheEntry[]>;
  /** What may still be served, a piece at a time, the latest used ones last. */
  saved(): Generator<readonly SavedAnswers[]>;
  /** Takes back what was saved, where nothing newer is known. */
  restore(answers: SavedAnswers): void;
  counts(): Readonly<{ positive: number; negative: number }>;
}>;

export type CacheOptions = Readonly<{ profile: string; probe: Probe; threads: number; now: () => number }>;

/** `cacheSize` is the profile's total; a thread has its share, half of it for positives and half for negatives. */
export function createCache({ profile, probe, threads, now }: CacheOptions): VerdictCache {
  let settings = probe;
  let { positive, negative } = emptyCache(probe, threads);
  const entries = createEntries();
  let flushes = 0;
  /** Those that are not through with all entries yet. */
  const flushing = new Set<Flushing>();

  function get(destination: string, recipient: string, probe: Probe): Kept | null {
    const key = keyOf(destination, mailboxOf(recipient, probe));
    const yes = positive.get(key);
    if (yes !== undefined && yes.about.destination === destination && !isGone(key, yes)) {
      if (now() < endMs(yes, probe)) return kept(yes, key);
      if (now() >= endMs(yes, probe) + probe.staleIfErrorMs) positive.delete(key);
    }
    const no = negative.get(key);
    if (no === undefined || no.about.destination !== destination || isGone(key, no)) return null;
    if (now() < endMs(no, probe)) return kept(no, key);
    negative.delete(key);
    return null;
  }

  function stale(destination: string, recipient: string, probe: Probe): Verdict | null {
    if (probe.staleIfErrorMs === 0) return null;
    const key = keyOf(destination, mailboxOf(recipient, probe));
    const yes = positive.get(key);
    if (yes === undefined || yes.about.destination !== destination || isGone(key, yes)) return null;
    return now() < endMs(yes, probe) + probe.staleIfErrorMs ? yes.about.verdict : null;
  }

  function put(destination: string, recipient: string, verdict: Verdict, probe: Probe): void {
    if (verdict.kind === 'temporary' || verdict.kind === 'failed') return;
    const key = keyOf(destination, mailboxOf(recipient, probe));
    const [into, other] = verdict.kind === 'valid' ? [positive, negative] : [negative, positive];
    other.delete(key);
    const ttlMs = timeToLive(verdict, probe);
    if (ttlMs <= 0) return;
    const storedAtMs = Math.floor(now());
    into.set(key, entries.of(destination, mailboxIn(key), verdict, { storedAtMs, expiresAtMs: storedAtMs + ttlMs }));
  }

  function kept(entry: Entry, key: string): Kept {
    const { storedAtMs, expiresAtMs } = entry;
    return { verdict: entries.verdictOf(entry, mailboxIn(key)), storedAtMs, expiresAtMs };
  }

  function renew(next: Probe): void {
    const old = settings;
    settings = next;
    // What was understood, or which questions are one, is not what it would be now.
    const isOther =
      old.foldLocalPart !== next.foldLocalPart ||
      old.unknownRecipientCodes.join() !== next.unknownRecipientCodes.join();
    if (isOther) forgetAll();
    if (old.cacheSize === next.cacheSize) return;
    const resized = emptyCache(next, threads);
    refill(resized.positive, positive, isGone);
    refill(resized.negative, negative, isGone);
    ({ positive, negative } = resized);
  }

  function isGone(key: string, entry: Entry): boolean {
    for (const one of flushing) if (isBefore(one, entry) && isFlushed(one.what, key, entry.about.verdict)) return true;
    return false;
  }

  function forgetAll(): number {
    flushes++;
    const forgotten = positive.size + negative.size;
    positive.clear();
    negative.clear();
    return forgotten;
  }

  async function flush(what: Flush): Promise<number> {
    if (what.kind === 'all') return forgetAll();
    flushes++;
    const one = { what, atMs: now() };
    let forgotten = 0;
    flushing.add(one);
    for (const kept of [positive, negative]) {
      await walk(kept, (key, entry) => {
        if (!isBefore(one, entry) || !isFlushed(what, key, entry.about.verdict)) return;
        kept.delete(key);
        forgotten++;
      });
    }
    flushing.delete(one);
    return forgotten;
  }

  async function lookup(recipient: string): Promise<readonly CacheEntry[]> {
    const found: CacheEntry[] = [];
    for (const kept of [positive, negative]) {
      await walk(kept, (key, entry) => {
        if (isAbout(key, recipient) && endMs(entry, settings) > now() && !isGone(key, entry))
          found.push(shown(key, entry));
      });
    }
    return found;
  }

  function shown(key: string, entry: Entry): CacheEntry {
    return {
      profile,
      destination: entry.about.destination,
      recipient: mailboxIn(key),
      verdict: entries.verdictOf(entry, mailboxIn(key)),
      ageMs: now() - entry.storedAtMs,
      ttlMs: endMs(entry, settings) - now(),
    };
  }

  function* saved(): Generator<readonly SavedAnswers[]> {
    for (const kept of [positive, negative]) {
      const keys = [...kept.rkeys()];
      for (let i = 0; i < keys.length; i += SAVED_PIECE) yield* pieceOf(kept, keys.slice(i, i + SAVED_PIECE));
    }
  }

  function* pieceOf(from: LRUCache<string, Entry>, keys: readonly string[]): Generator<readonly SavedAnswers[]> {
    const table = createSaved(profile, cacheSettings(settings));
    for (const key of keys) {
      const entry = from.peek(key);
      if (entry === undefined || isGone(key, entry)) continue;
      const patienceMs = entry.about.verdict.kind === 'valid' ? settings.staleIfErrorMs : 0;
      if (now() >= endMs(entry, settings) + patienceMs) continue;
      table.add({ ...kept(entry, key), destination: entry.about.destination, recipient: mailboxIn(key) });
    }
    const answers = table.answers();
    if (answers.length > 0) yield answers;
  }

  function restore({ destination, recipients, verdicts, storedAtMs, expiresAtMs }: SavedAnswers): void {
    for (const [i, recipient] of recipients.entries()) {
      const verdict = verdicts[i];
      const key = keyOf(destination, recipient);
      if (verdict === undefined || verdict.kind === 'temporary' || verdict.kind === 'failed') continue;
      if (positive.peek(key) !== undefined || negative.peek(key) !== undefined) continue;
      const times = { storedAtMs: Math.floor(storedAtMs[i] ?? 0), expiresAtMs: Math.floor(expiresAtMs[i] ?? 0) };
      (verdict.kind === 'valid' ? positive : negative).set(key, entries.of(destination, recipient, verdict, times));
    }
  }

  return {
    saved,
    restore,
    get,
    stale,
    put,
    flush,
    renew,
    generation: () => flushes,
    lookup,
    counts: () => ({ positive: positive.size, negative: negative.size }),
  };
}

type Flushing = Readonly<{ what: Flush; atMs: number }>;

/** What was put after a flush is news. Times of entries are whole numbers. */
function isBefore({ atMs }: Flushing, { storedAtMs }: Entry): boolean {
  return storedAtMs <= atMs;
}

/** A million entries take longer than a thread may be silent: it shows between two pieces that it is alive. */
const PIECE = 10_000;

/** Visits what is there now and still is when its turn comes. */
async function walk(kept: LRUCache<string, Entry>, visit: (key: string, entry: Entry) => void): Promise<void> {
  let visited = 0;
  for (const key of [...kept.keys()]) {
    const entry = kept.peek(key);
    if (entry !== undefined) visit(key, entry);
    visited++;
    if (visited % PIECE === 0) await nextTurn();
  }
}

const SAVED_PIECE = 1_000;
const MARK_LENGTH = 7;

/** Equal ones are one mailbox to this profile, and one question to its servers (SPEC 3.5). */
export function mailboxOf(recipient: string, probe: Probe): string {
  return probe.foldLocalPart ? recipient.toLowerCase() : recipient;
}

/** Names of destinations are long and there may be a million keys: a mark of theirs is in the key, the entry knows the name itself. */
function keyOf(destination: string, mailbox: string): string {
  return markOf(destination) + mailbox;
}

function mailboxIn(key: string): string {
  return key.slice(MARK_LENGTH);
}

/** A destination asks many times; there are no more of them in a thread than are known by heart. */
const marks = new Map<string, string>();
const MOST_MARKS = 10_000;

function markOf(destination: string): string {
  const known = marks.get(destination);
  if (known !== undefined) return known;
  const mark = stableHash(destination).toString(36).padStart(MARK_LENGTH, '0');
  if (marks.size >= MOST_MARKS) marks.clear();
  marks.set(destination, mark);
  return mark;
}

/** The latest used ones stay the latest used ones; what is being flushed stays behind. */
function refill(
  into: LRUCache<string, Entry>,
  from: LRUCache<string, Entry>,
  isGone: (key: string, entry: Entry) => boolean,
): void {
  for (const key of from.rkeys()) {
    const entry = from.peek(key);
    if (entry !== undefined && !isGone(key, entry)) into.set(key, entry);
  }
}

/** What was kept for longer than it would be now is worth only that. */
function endMs({ about, storedAtMs, expiresAtMs }: Entry, probe: Probe): number {
  return Math.min(expiresAtMs, storedAtMs + timeToLive(about.verdict, probe));
}

/** A thread has its share of the profile's size, half of it for positives and half for negatives. */
function emptyCache({ cacheSize }: Probe, threads: number) {
  const share = Math.max(2, Math.floor(cacheSize / threads));
  return { positive: entriesUpTo(Math.ceil(share / 2)), negative: entriesUpTo(Math.floor(share / 2)) };
}

// A bound by size instead of `max`: lru-cache allocates for `max` entries at once, and there may be many profiles of a million.
function entriesUpTo(bound: number): LRUCache<string, Entry> {
  return new LRUCache({ maxSize: bound, sizeCalculation: () => 1 });
}

/** How long a verdict is worth keeping; 0: it is not kept (SPEC 4.10). */
export function timeToLive(verdict: Verdict, probe: Probe): number {
  switch (verdict.kind) {
    case 'valid':
      return probe.cacheTtlMs;
    case 'unknown':
      return probe.negativeCacheTtlMs;
    case 'refused':
      return probe.refusedCacheTtlMs;
    case 'temporary':
    case 'failed':
      return 0;
  }
}

/** Whether a flush is about this answer. */
export function flushesAnswer(what: Flush, destination: string, recipient: string, verdict: Verdict): boolean {
  return isFlushed(what, keyOf(destination, recipient), verdict);
}

function isFlushed(what: Flush, key: string, verdict: Verdict): boolean {
  switch (what.kind) {
    case 'recipient':
      return isAbout(key, what.value);
    case 'domain':
      return key.endsWith(`@${what.value.toLowerCase()}`);
    case 'server':
      return verdict.server === what.value;
    case 'negative':
      return verdict.kind !== 'valid';
    case 'all':
      return true;
  }
}

/** Letter case does not count: whether an entry was folded is not known any more, and who asks for one spelling means all. */
function isAbout(key: string, recipient: string): boolean {
  if (key.length !== MARK_LENGTH + recipient.length) return false;
  return key.endsWith(recipient) || mailboxIn(key).toLowerCase() === recipient.toLowerCase();
}
