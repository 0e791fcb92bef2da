/**
 * What a cache keeps of an answer: what it shares with others once for all of them, and the address in the words of a server not at all, for it is in
 * the key. So an entry is a third of what its answer would take.
 */
import type { Verdict } from '@callahead/core';
import { LRUCache } from 'lru-cache';

/** Said by one server about recipients of one destination. `verdict` lacks what is said of each of them: its `ref`, and the text of its reply. */
type About = Readonly<{ destination: string; verdict: Kept }>;
type Kept = Exclude<Verdict, { kind: 'temporary' | 'failed' }>;

/** Times are whole numbers: of this size they take half of the memory that others do. */
export type Entry = Readonly<{ about: About; text: string; ref: string; storedAtMs: number; expiresAtMs: number }>;

export type Entries = Readonly<{
  of(destination: string, mailbox: string, verdict: Kept, times: Times): Entry;
  /** The answer again, now from the cache. */
  verdictOf(entry: Entry, mailbox: string): Kept;
}>;

type Times = Readonly<{ storedAtMs: number; expiresAtMs: number }>;

/** Stands for the address. The text of a reply is printable ASCII, so it never has one. */
const ADDRESS = '\0';
/** What is forgotten here is still with the entries that have it. */
const MOST_ABOUTS = 10_000;
/** A server that says something else to everybody needs no more. */
const MOST_TEXTS = 500;

export function createEntries(): Entries {
  const abouts = new LRUCache<string, About>({ maxSize: MOST_ABOUTS, sizeCalculation: () => 1 });
  const texts = new LRUCache<string, string>({ max: MOST_TEXTS });

  function of(destination: string, mailbox: string, verdict: Kept, { storedAtMs, expiresAtMs }: Times): Entry {
    const about = aboutOf(destination, verdict);
    if (verdict.kind === 'valid') return { about, text: '', ref: '', storedAtMs, expiresAtMs };
    return { about, text: textOf(verdict.reply.text, mailbox), ref: verdict.ref, storedAtMs, expiresAtMs };
  }

  function aboutOf(destination: string, verdict: Kept): About {
    const { kind, server } = verdict;
    const said = verdict.kind === 'valid' ? '' : `${verdict.reply.code} ${verdict.reply.enhanced}`;
    const key = `${kind} ${said} ${server} ${destination}`;
    const known = abouts.get(key);
    if (known !== undefined) return known;
    const about = { destination, verdict: shared(verdict) };
    abouts.set(key, about);
    return about;
  }

  function textOf(text: string, mailbox: string): string {
    const form = text.replaceAll(mailbox, ADDRESS);
    const known = texts.get(form);
    if (known !== undefined) return known;
    texts.set(form, form);
    return form;
  }

  return { of, verdictOf };
}

function shared(verdict: Kept): Kept {
  if (verdict.kind === 'valid') return { ...verdict, source: 'cache' };
  return { ...verdict, source: 'cache', reply: { ...verdict.reply, text: '' }, ref: '' };
}

function verdictOf({ about, text, ref }: Entry, mailbox: string): Kept {
  const { verdict } = about;
  if (verdict.kind === 'valid') return verdict;
  const words = text.includes(ADDRESS) ? text.replaceAll(ADDRESS, () => mailbox) : text;
  return { ...verdict, reply: { ...verdict.reply, text: words }, ref };
}
