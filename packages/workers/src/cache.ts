/** The verdict cache: one per profile and thread, shared by that profile's actors there (SPEC 4.10, 8.1). */
import type { CacheEntry, Flush, Probe, Verdict } from '@callahead/core';
import { LRUCache } from 'lru-cache';

type Entry = Readonly<{
  destination: string;
  recipient: string;
  verdict: Verdict;
  storedAtMs: number;
  expiresAtMs: number;
}>;

export type VerdictCache = Readonly<{
  get(destination: string, recipient: string, probe: Probe): Verdict | null;
  /** Keeps what may be kept: valid, unknown, and refused where the profile wants it. */
  put(destination: string, recipient: string, verdict: Verdict, probe: Probe): void;
  /** Forgets; says how many entries. An answer to a question of an older `generation` must not be put any more. */
  flush(what: Flush): number;
  /** Counts the flushes. */
  generation(): number;
  /** Every entry about an address in canonical form, in any destination. */
  lookup(recipient: string): readonly CacheEntry[];
  counts(): Readonly<{ positive: number; negative: number }>;
}>;

export type CacheOptions = Readonly<{ profile: string; cacheSize: number; threads: number; now: () => number }>;

/** `cacheSize` is the profile's total; a thread has its share, half of it for positives and half for negatives. */
export function createCache({ profile, cacheSize, threads, now }: CacheOptions): VerdictCache {
  const share = Math.max(2, Math.floor(cacheSize / threads));
  const positive = entries(Math.ceil(share / 2));
  const negative = entries(Math.floor(share / 2));
  let flushes = 0;

  function get(destination: string, recipient: string, probe: Probe): Verdict | null {
    const key = cacheKey(destination, recipient, probe);
    for (const kept of [positive, negative]) {
      const entry = kept.get(key);
      if (entry === undefined) continue;
      if (now() < entry.expiresAtMs) return entry.verdict;
      kept.delete(key);
    }
    return null;
  }

  function put(destination: string, recipient: string, verdict: Verdict, probe: Probe): void {
    const ttlMs = timeToLive(verdict, probe);
    if (ttlMs <= 0) return;
    const key = cacheKey(destination, recipient, probe);
    const storedAtMs = now();
    const [into, other] = verdict.kind === 'valid' ? [positive, negative] : [negative, positive];
    other.delete(key);
    into.set(key, {
      destination,
      recipient,
      verdict: { ...verdict, source: 'cache' },
      storedAtMs,
      expiresAtMs: storedAtMs + ttlMs,
    });
  }

  function flush(what: Flush): number {
    flushes++;
    let forgotten = 0;
    for (const kept of [positive, negative]) {
      for (const [key, entry] of kept.entries()) {
        if (!isFlushed(what, entry)) continue;
        kept.delete(key);
        forgotten++;
      }
    }
    return forgotten;
  }

  function lookup(recipient: string): readonly CacheEntry[] {
    const found: CacheEntry[] = [];
    for (const kept of [positive, negative]) {
      for (const entry of kept.values()) {
        if (!sameMailbox(entry.recipient, recipient) || entry.expiresAtMs <= now()) continue;
        const { destination, verdict, storedAtMs, expiresAtMs } = entry;
        found.push({
          profile,
          destination,
          recipient: entry.recipient,
          verdict,
          ageMs: now() - storedAtMs,
          ttlMs: expiresAtMs - now(),
        });
      }
    }
    return found;
  }

  return {
    get,
    put,
    flush,
    generation: () => flushes,
    lookup,
    counts: () => ({ positive: positive.size, negative: negative.size }),
  };
}

/** The profile is the cache itself. Equal keys are equal questions (SPEC 3.5). */
export function cacheKey(destination: string, recipient: string, probe: Probe): string {
  return `${probe.foldLocalPart ? recipient.toLowerCase() : recipient} ${destination}`;
}

// A bound by size instead of `max`: lru-cache allocates for `max` entries at once, and there may be many profiles of a million.
function entries(bound: number): LRUCache<string, Entry> {
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

function isFlushed(what: Flush, entry: Entry): boolean {
  switch (what.kind) {
    case 'recipient':
      return sameMailbox(entry.recipient, what.value);
    case 'domain':
      return entry.recipient.slice(entry.recipient.lastIndexOf('@') + 1) === what.value.toLowerCase();
    case 'server':
      return entry.verdict.server === what.value;
    case 'negative':
      return entry.verdict.kind !== 'valid';
    case 'all':
      return true;
  }
}

// A folded entry was stored under the spelling that came first; who asks for another one means it too.
function sameMailbox(stored: string, wanted: string): boolean {
  return stored === wanted || stored.toLowerCase() === wanted.toLowerCase();
}
