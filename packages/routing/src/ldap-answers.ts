import type { Emit, Flush, Hop, LdapRoutingSettings, LdapServerSettings, Recipient } from '@callahead/core';
import { by } from './deadline.ts';
import type { Directory } from './directory.ts';
import type { DirectoryEntry } from './directory-connection.ts';
import { STALE_AFTER_MS } from './dns.ts';
import { type Reading, readAddress, readHosts } from './ldap-entries.ts';
import { createMemory } from './memory.ts';

/** What a directory says about a recipient; no entry says nothing in each attribute. */
export type LdapFacts = Readonly<{
  dns: readonly string[];
  mailHost: Reading<readonly Hop[]>;
  callAhead: Reading<readonly Hop[]>;
  address: Reading<Recipient>;
}>;

/** `source`: asked now, remembered, or remembered for too long while the directory does not answer (SPEC 5.2). */
export type LdapAnswer =
  | Readonly<{ kind: 'facts'; facts: LdapFacts; source: 'directory' | 'cache' | 'stale' }>
  | Readonly<{ kind: 'failed'; detail: string }>;

/** The answers of a directory. A value, not a promise, where one is remembered and fresh. */
export type LdapAnswers = Readonly<{
  find(routing: LdapRoutingSettings, question: LdapQuestion): LdapAnswer | Promise<LdapAnswer>;
  flush(what: Flush): void;
}>;

/** A base and a filter with a recipient in it. `domain`: whose it is, null where it may be that of any domain. */
export type LdapQuestion = Readonly<{ key: string; base: string; filter: string; domain: string | null }>;

type Remembered = Readonly<{ facts: LdapFacts; expiresAtMs: number; question: LdapQuestion }>;
type Flight = Readonly<{ answer: Promise<LdapAnswer>; staleAtMs: number }>;

/** An entry that cannot be used is looked at again soon: somebody has read the log and put it right. */
const REFUSED_TTL_MS = 30_000;

/** One question at a time for equal ones, whoever waits. Flights are as many as the directory lets wait. */
export function createLdapAnswers(
  settings: LdapServerSettings,
  directory: Directory,
  { now, emit }: Readonly<{ now: () => number; emit: Emit }>,
): LdapAnswers {
  const remembered = createMemory<Remembered>(settings.cacheSize);
  const flights = new Map<string, Flight>();

  function find(routing: LdapRoutingSettings, question: LdapQuestion): LdapAnswer | Promise<LdapAnswer> {
    const known = remembered.get(question.key);
    if (known !== undefined && now() < known.expiresAtMs) return { kind: 'facts', facts: known.facts, source: 'cache' };
    const flight = flights.get(question.key) ?? depart(routing, question);
    if (known === undefined) return flight.answer;
    const stale: LdapAnswer = { kind: 'facts', facts: known.facts, source: 'stale' };
    return by(flight.answer, flight.staleAtMs, now, () => stale).then((answer) =>
      answer.kind === 'failed' ? stale : answer,
    );
  }

  function depart(routing: LdapRoutingSettings, question: LdapQuestion): Flight {
    const answer = ask(routing, question).then((found) => {
      // A flush in the meantime has taken the flight off the list: its answer is of before the flush.
      if (flights.get(question.key) !== flight) return found;
      flights.delete(question.key);
      if (found.kind === 'facts') remember(question, found.facts);
      return found;
    });
    const flight: Flight = { answer, staleAtMs: now() + STALE_AFTER_MS };
    flights.set(question.key, flight);
    return flight;
  }

  async function ask(routing: LdapRoutingSettings, { base, filter }: LdapQuestion): Promise<LdapAnswer> {
    const attributes = attributesOf(routing);
    const fixedBase = routing.base.tokens.size === 0;
    const found = await directory.search({ base, fixedBase, scope: routing.scope, filter, attributes });
    if (found.kind !== 'found') return { kind: 'failed', detail: found.detail };
    const facts = read(routing, found.entries);
    for (const reading of [facts.mailHost, facts.callAhead, facts.address]) {
      if (reading.kind !== 'refused') continue;
      emit({ event: 'directory.entry-refused', server: settings.name, routing: routing.name, ...reading.refusal });
    }
    return { kind: 'facts', facts, source: 'directory' };
  }

  function remember(question: LdapQuestion, facts: LdapFacts): void {
    const refused = [facts.mailHost, facts.callAhead, facts.address].some((reading) => reading.kind === 'refused');
    const ttlMs = refused ? Math.min(REFUSED_TTL_MS, settings.cacheTtlMs) : settings.cacheTtlMs;
    remembered.set(question.key, { facts, expiresAtMs: now() + ttlMs, question });
  }

  function flush(what: Flush): void {
    flights.clear();
    for (const [key, entry] of [...remembered.entries()]) if (concerns(entry, what)) remembered.delete(key);
  }

  return { find, flush };
}

function attributesOf(routing: LdapRoutingSettings): readonly string[] {
  const { mailHostAttribute, mailRoutingAddressAttribute, callAheadAttribute } = routing;
  return [mailHostAttribute, mailRoutingAddressAttribute, callAheadAttribute].filter((name) => name !== null);
}

function read(routing: LdapRoutingSettings, entries: readonly DirectoryEntry[]): LdapFacts {
  const { mailHostAttribute, mailRoutingAddressAttribute, callAheadAttribute } = routing;
  return {
    dns: entries.map((entry) => entry.dn),
    mailHost: mailHostAttribute === null ? NONE : readHosts(entries, mailHostAttribute),
    callAhead: callAheadAttribute === null ? NONE : readHosts(entries, callAheadAttribute),
    address: mailRoutingAddressAttribute === null ? NONE : readAddress(entries, mailRoutingAddressAttribute),
  };
}

const NONE = { kind: 'none' } as const;

function concerns({ facts, question }: Remembered, what: Flush): boolean {
  switch (what.kind) {
    case 'all':
      return true;
    case 'negative':
      return facts.dns.length === 0;
    case 'recipient':
    case 'domain':
      // Of one domain's answers nobody knows here which are of the recipient: all of them are asked for again.
      return (
        question.domain === null || question.domain === what.value.slice(what.value.lastIndexOf('@') + 1).toLowerCase()
      );
    case 'server': {
      const host = what.value.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
      return [facts.mailHost, facts.callAhead].some(
        (reading) => reading.kind === 'value' && reading.value.some((hop) => hop.name === host),
      );
    }
  }
}
