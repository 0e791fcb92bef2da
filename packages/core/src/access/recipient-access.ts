import type { Recipient } from '../recipient.ts';
import type { Reply } from '../verdict.ts';
import type { AccessPattern } from './access-pattern.ts';

/** What the recipient access table says about one recipient (SPEC 6.1). `entry` is the pattern that matched, as written; empty when none did. */
export type AccessDecision =
  | Readonly<{ kind: 'accept'; entry: string; bypassCallAhead: boolean }>
  | Readonly<{ kind: 'reject'; entry: string; reply: Reply }>;

/** A recipient access table, compiled: constant-time for addresses and domains, whatever its size. */
export type RecipientAccess = Readonly<{ decide(recipient: Recipient): AccessDecision }>;

/** One entry as configured: what it matches and what then happens. `reply` null: `550 5.7.1`. */
export type AccessEntry =
  | Readonly<{ action: 'accept'; patterns: readonly AccessPattern[]; bypassCallAhead: boolean }>
  | Readonly<{ action: 'reject'; patterns: readonly AccessPattern[]; reply: Reply | null }>;

/** Compiles a table. Of all patterns that match a recipient the first in table order decides, upper and lower case being the same. */
export function compileRecipientAccess(entries: readonly AccessEntry[]): RecipientAccess {
  const table = indexEntries(entries);
  return { decide: (recipient) => firstMatch(table, recipient)?.decision ?? NO_MATCH };
}

const RELAYING_DENIED: Reply = { code: 550, enhanced: '5.7.1', text: 'Relaying denied' };
const NO_MATCH: AccessDecision = { kind: 'reject', entry: '', reply: RELAYING_DENIED };

/** A pattern's place in the table, counted over all entries, and what it decides. */
type Rule = Readonly<{ position: number; decision: AccessDecision }>;

/** The first rule of each `keyOf` a pattern, and the keys of the domains and sub-domains that accept entries name: `user@` holds in those. */
type Table = Readonly<{ rules: ReadonlyMap<string, Rule>; named: ReadonlySet<string> }>;

function indexEntries(entries: readonly AccessEntry[]): Table {
  const rules = new Map<string, Rule>();
  const named = new Set<string>();
  let position = 0;
  for (const entry of entries) {
    for (const pattern of entry.patterns) {
      const key = keyOf(pattern);
      if (!rules.has(key)) rules.set(key, { position, decision: decisionOf(entry, pattern.text) });
      const name = entry.action === 'accept' ? nameIn(pattern) : null;
      if (name !== null) named.add(name);
      position += 1;
    }
  }
  return { rules, named };
}

function decisionOf(entry: AccessEntry, text: string): AccessDecision {
  if (entry.action === 'accept') return { kind: 'accept', entry: text, bypassCallAhead: entry.bypassCallAhead };
  return { kind: 'reject', entry: text, reply: entry.reply ?? RELAYING_DENIED };
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

/** One look-up for each kind of pattern and each label of the domain, whatever the length of the table. */
function firstMatch({ rules, named }: Table, { local, domain }: Recipient): Rule | undefined {
  const user = `${fold(local)}@`;
  let first = earlier(rules.get(ALL), rules.get(user + domain));
  first = earlier(first, rules.get(domain));
  let isNamed = named.has(domain);
  for (let dot = domain.indexOf('.'); dot !== -1; dot = domain.indexOf('.', dot + 1)) {
    const suffix = domain.slice(dot);
    first = earlier(first, rules.get(suffix));
    isNamed ||= named.has(suffix);
  }
  return isNamed ? earlier(first, rules.get(user)) : first;
}

function earlier(one: Rule | undefined, other: Rule | undefined): Rule | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one.position < other.position ? one : other;
}

// RFC 5321 §2.4 leaves case to the host of the mailbox; SPEC 6.1 folds it for access. An operator types ü as one character, a sender perhaps as two.
function fold(local: string): string {
  return local.normalize('NFC').toLowerCase();
}
