import { Resolver } from 'node:dns/promises';
import type { DnsSettings } from '@callahead/core';
import { by } from './deadline.ts';
import { createMemory } from './memory.ts';

type RecordType = 'A' | 'AAAA' | 'MX' | 'PTR';

/** `value`: an address, or a name as it was received: an exchange (`''` in a null MX, RFC 7505), a host. `preference` is 0 but in MX. */
export type DnsRecord = Readonly<{ preference: number; value: string }>;

/** What the DNS says. `none`: there is no such name, or the name has no record of the type. `failed`: nobody knows. Only answers expire (`now`). */
export type Answer =
  | Readonly<{ kind: 'found'; records: readonly DnsRecord[]; expiresAtMs: number }>
  | Readonly<{ kind: 'none'; why: 'nxdomain' | 'nodata'; expiresAtMs: number }>
  | Readonly<{ kind: 'failed'; why: 'servfail' | 'timeout' | 'busy'; detail: string }>;

/** Never rejects; every look-up ends within `dns.timeout`. Names without a trailing dot. */
export type Dns = Readonly<{
  look(type: RecordType, name: string): Answer | Promise<Answer>;
  forget(what: 'all' | 'negative' | readonly string[]): void;
  close(): void;
}>;

/** An expired answer is served on where the DNS says nothing for this long (RFC 8767 §5 has 1.8 s, but the shortest budget of a recipient is 1 s) … */
export const STALE_AFTER_MS = 500;
/** … and then the DNS is left alone for this long (RFC 8767 §5). */
const STALE_FOR_MS = 30_000;
const MIN_TTL_MS = 5_000;
const MAX_TTL_MS = 3_600_000;
/** node tells the TTL of addresses only. For MX and PTR, and for what is not there, SPEC 5.6 has one figure. */
const FIXED_TTL_MS = 60_000;
const MAX_ANSWERS = 50_000;
const MAX_FLIGHTS = 10_000;

/** Asks the servers of `dns.servers`, or the system's; remembers; asks one question once at a time. */
export function createDns(settings: Pick<DnsSettings, 'servers' | 'timeoutMs'>, now: () => number): Dns {
  const resolver = openResolver(settings);
  const answers = createMemory<Exclude<Answer, { kind: 'failed' }>>(MAX_ANSWERS);
  const flights = new Map<string, Promise<Answer>>();

  function look(type: RecordType, name: string): Answer | Promise<Answer> {
    const question = `${type} ${name}`;
    const known = answers.get(question);
    if (known !== undefined && now() < known.expiresAtMs) return known;
    const flight = flights.get(question) ?? depart(type, name, question);
    // "No such name" is not served on: a refusal for good must be of today.
    if (known === undefined || (known.kind === 'none' && known.why === 'nxdomain')) return flight;
    const stale = { ...known, expiresAtMs: now() + STALE_AFTER_MS + STALE_FOR_MS };
    return by(flight, now() + STALE_AFTER_MS, now, () => failedLookup('timeout', 'slow')).then((answer) => {
      if (answer.kind !== 'failed') return answer;
      if (answers.get(question) === known) answers.set(question, stale);
      return stale;
    });
  }

  function depart(type: RecordType, name: string, question: string): Promise<Answer> {
    if (flights.size >= MAX_FLIGHTS)
      return Promise.resolve(failedLookup('busy', `${MAX_FLIGHTS} DNS look-ups are waiting already`));
    const flight: Promise<Answer> = by(ask(resolver, type, name, now), now() + settings.timeoutMs, now, () =>
      failedLookup('timeout', `no answer to ${question} within ${settings.timeoutMs} ms`),
    ).then((answer) => {
      // A flush in the meantime has taken the flight off the list: what it brings is of before the flush.
      if (flights.get(question) !== flight) return answer;
      flights.delete(question);
      if (answer.kind !== 'failed') answers.set(question, answer);
      return answer;
    });
    flights.set(question, flight);
    return flight;
  }

  function forget(what: 'all' | 'negative' | readonly string[]): void {
    flights.clear();
    if (typeof what === 'string') {
      for (const [question, answer] of [...answers.entries()])
        if (what === 'all' || answer.kind === 'none') answers.delete(question);
      return;
    }
    for (const name of what) for (const type of ['A', 'AAAA', 'MX']) answers.delete(`${type} ${name}`);
  }

  return { look, forget, close: () => resolver.cancel() };
}

/** Those of the settings, or the system's as they are now. */
export function serversOf({ servers }: Pick<DnsSettings, 'servers'>): readonly string[] {
  return servers ?? new Resolver().getServers();
}

function openResolver(settings: Pick<DnsSettings, 'servers' | 'timeoutMs'>): Resolver {
  // Each round of tries takes twice as long as the one before: a lost packet is sent again within the time that a look-up has.
  const resolver = new Resolver({ timeout: Math.max(100, Math.floor(settings.timeoutMs / 4)), tries: 3 });
  if (settings.servers !== null) resolver.setServers(settings.servers);
  return resolver;
}

async function ask(resolver: Resolver, type: RecordType, name: string, now: () => number): Promise<Answer> {
  try {
    const { records, ttlMs } = await query(resolver, type, name);
    const expiresAtMs = now() + ttlMs;
    if (records.length === 0) return { kind: 'none', why: 'nodata', expiresAtMs };
    return { kind: 'found', records, expiresAtMs };
  } catch (error) {
    return explain(error, `${type} ${name}`, now() + FIXED_TTL_MS);
  }
}

async function query(
  resolver: Resolver,
  type: RecordType,
  name: string,
): Promise<{ records: readonly DnsRecord[]; ttlMs: number }> {
  if (type === 'MX') {
    const exchanges = await resolver.resolveMx(name);
    return {
      records: exchanges.map((each) => ({ preference: each.priority, value: each.exchange })),
      ttlMs: FIXED_TTL_MS,
    };
  }
  if (type === 'PTR') {
    const hosts = await resolver.resolvePtr(name);
    return { records: hosts.map((value) => ({ preference: 0, value })), ttlMs: FIXED_TTL_MS };
  }
  const found =
    type === 'A' ? await resolver.resolve4(name, { ttl: true }) : await resolver.resolve6(name, { ttl: true });
  const ttlMs = Math.min(MAX_TTL_MS, ...found.map((each) => each.ttl * 1000));
  return {
    records: found.map((each) => ({ preference: 0, value: each.address })),
    ttlMs: Math.max(MIN_TTL_MS, ttlMs),
  };
}

/** What c-ares calls the ends of a look-up. EBADNAME: no server could have the name. Every other code is trouble of some server. */
const ENDS: Readonly<Record<string, 'nxdomain' | 'nodata' | 'timeout'>> = {
  ENOTFOUND: 'nxdomain',
  EBADNAME: 'nxdomain',
  ENODATA: 'nodata',
  ETIMEOUT: 'timeout',
};

function explain(error: unknown, question: string, expiresAtMs: number): Answer {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  const end = ENDS[code];
  if (end === 'nxdomain' || end === 'nodata') return { kind: 'none', why: end, expiresAtMs };
  return failedLookup(end ?? 'servfail', `${code} for ${question}`);
}

function failedLookup(why: 'servfail' | 'timeout' | 'busy', detail: string): Answer {
  return { kind: 'failed', why, detail };
}
