import type { Profile } from '../profile.ts';
import type { Recipient } from '../recipient.ts';
import type { Reply } from '../verdict.ts';
import type { AccessPattern } from './access-pattern.ts';

/**
 * What the recipient access table says about one recipient (SPEC 6.1). `entry` is the pattern that matched, as written; empty when none did.
 * `profile`: by which the recipient is asked about and acted on; null: the listener's.
 */
export type AccessDecision =
  | Readonly<{ kind: 'accept'; entry: string; bypassCallAhead: boolean; profile: Profile | null }>
  | Readonly<{ kind: 'reject'; entry: string; reply: Reply }>;

/** A recipient access table, compiled: constant-time for addresses and domains, whatever its size. `profiles`: those that its entries name. */
export type RecipientAccess = Readonly<{
  decide(recipient: Recipient): AccessDecision;
  profiles: readonly Profile[];
}>;

/** One entry as configured: what it matches and what then happens. `reply` null: `550 5.7.1`. */
export type AccessEntry =
  | Readonly<{
      action: 'accept';
      patterns: readonly AccessPattern[];
      bypassCallAhead: boolean;
      profile: Profile | null;
    }>
  | Readonly<{ action: 'reject'; patterns: readonly AccessPattern[]; reply: Reply | null }>;

/** Compiles a table. Of all patterns that match a recipient the first in table order decides, upper and lower case being the same. */
export function compileRecipientAccess(entries: readonly AccessEntry[]): RecipientAccess {
  const table = indexEntries(entries);
  const outcomes = entries.map(outcomeOf);
  const profiles = entries.flatMap((entry) =>
    entry.action === 'accept' && entry.profile !== null ? [entry.profile] : [],
  );
  return {
    decide(recipient) {
      const position = firstMatch(table, recipient);
      const outcome = outcomes[table.entries[position] ?? -1];
      return outcome === undefined ? NO_MATCH : outcome(table.texts[position] ?? '');
    },
    profiles: [...new Set(profiles)],
  };
}

const RELAYING_DENIED: Reply = { code: 550, enhanced: '5.7.1', text: 'Relaying denied' };
const NO_MATCH: AccessDecision = { kind: 'reject', entry: '', reply: RELAYING_DENIED };

/**
 * Patterns by their place in the table, counted over all entries: numbers and texts in arrays, for a table of a million patterns is to be small.
 * `positions`: the first place of each `keyOf` a pattern. `locals`: some of them are about local parts. `named`: the keys of the domains and sub-domains that accept entries name, for `user@` holds in those.
 */
type Table = Readonly<{
  positions: ReadonlyMap<string, number>;
  entries: readonly number[];
  texts: readonly string[];
  locals: boolean;
  named: ReadonlySet<string>;
}>;

function indexEntries(entries: readonly AccessEntry[]): Table {
  const positions = new Map<string, number>();
  const owners: number[] = [];
  const texts: string[] = [];
  for (const [index, { patterns }] of entries.entries()) {
    for (const pattern of patterns) {
      const key = keyOf(pattern);
      if (!positions.has(key)) positions.set(key, owners.length);
      owners.push(index);
      // One string in place of two that are equal.
      texts.push(pattern.text === key ? key : pattern.text);
    }
  }
  const locals = entries.some(({ patterns }) => patterns.some((pattern) => 'local' in pattern));
  return { positions, entries: owners, texts, locals, named: namedIn(entries) };
}

/** Empty where no pattern wants to know. */
function namedIn(entries: readonly AccessEntry[]): ReadonlySet<string> {
  const named = new Set<string>();
  if (!entries.some(({ patterns }) => patterns.some(({ kind }) => kind === 'user'))) return named;
  for (const { action, patterns } of entries) {
    for (const pattern of action === 'accept' ? patterns : []) {
      const name = nameIn(pattern);
      if (name !== null) named.add(name);
    }
  }
  return named;
}

function outcomeOf(configured: AccessEntry): (entry: string) => AccessDecision {
  if (configured.action === 'reject') {
    const reply = configured.reply ?? RELAYING_DENIED;
    return (entry) => ({ kind: 'reject', entry, reply });
  }
  const { bypassCallAhead, profile } = configured;
  return (entry) => ({ kind: 'accept', entry, bypassCallAhead, profile });
}

const ALL = 'ALL';

/** The pattern as one would write it, folded. Domains are in lower case, so that none is `ALL`. */
function keyOf(pattern: AccessPattern): string {
  switch (pattern.kind) {
    case 'all':
      return ALL;
    case 'address':
      return `${fold(pattern.local)}@${pattern.domain}`;
    case 'domain':
      return pattern.domain;
    case 'subdomains':
      return `.${pattern.domain}`;
    case 'user':
      return `${fold(pattern.local)}@`;
  }
}

/** The key of the domain or sub-domains that a pattern names, null for none. */
function nameIn(pattern: AccessPattern): string | null {
  switch (pattern.kind) {
    case 'address':
      // An address literal is no domain (RFC 5321 §4.1.3).
      return pattern.domain.startsWith('[') ? null : pattern.domain;
    case 'domain':
    case 'subdomains':
      return keyOf(pattern);
    case 'all':
    case 'user':
      return null;
  }
}

const NONE = Number.POSITIVE_INFINITY;

/** The place of the first pattern that matches. One look-up for each kind of pattern and each label of the domain, whatever the length of the table. */
function firstMatch(table: Table, { local, domain }: Recipient): number {
  const { positions, locals, named } = table;
  const place = (key: string): number => positions.get(key) ?? NONE;
  let first = Math.min(place(ALL), place(domain));
  let isNamed = named.has(domain);
  for (let dot = domain.indexOf('.'); dot !== -1; dot = domain.indexOf('.', dot + 1)) {
    const suffix = domain.slice(dot);
    first = Math.min(first, place(suffix));
    isNamed ||= named.has(suffix);
  }
  if (!locals) return first;
  const user = `${fold(local)}@`;
  return Math.min(first, place(user + domain), isNamed ? place(user) : NONE);
}

// RFC 5321 §2.4 leaves case to the host of the mailbox; SPEC 6.1 folds it for access. An operator types ü as one character, a sender perhaps as two.
function fold(local: string): string {
  return local.normalize('NFC').toLowerCase();
}
