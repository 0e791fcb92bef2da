import { parseDomain } from '../domain.ts';
import { parseLocalPart } from '../mailbox.ts';
import { parseRecipient } from '../recipient.ts';

/** What one line of a recipient access table matches (SPEC 6.1). `text` is what the operator wrote; `local` and `domain` are in canonical form. */
export type AccessPattern =
  | Readonly<{ kind: 'all'; text: string }>
  /** `user@domain` or `user@[ip]` */
  | Readonly<{ kind: 'address'; text: string; local: string; domain: string }>
  | Readonly<{ kind: 'domain'; text: string; domain: string }>
  /** `.domain`: its sub-domains, not itself. `domain` has no dot in front. */
  | Readonly<{ kind: 'subdomains'; text: string; domain: string }>
  /** `user@`: in every domain that an accept entry names. */
  | Readonly<{ kind: 'user'; text: string; local: string }>;

export type ParsedAccessPattern =
  | Readonly<{ kind: 'ok'; pattern: AccessPattern }>
  | Readonly<{ kind: 'bad'; message: string }>;

/** Parses one pattern as an operator writes it; U-labels are welcome. The message names the pattern and what would be right. */
export function parseAccessPattern(text: string): ParsedAccessPattern {
  if (text.toUpperCase() === 'ALL') return { kind: 'ok', pattern: { kind: 'all', text } };
  // `*` is a lawful local part, yet whoever writes it first in a pattern means a wildcard.
  if (text.startsWith('*')) return bad(text, 'there are no wildcards: write domain, .domain or ALL');
  if (text.startsWith('@')) return bad(text, 'for every user of a domain write the domain without @');
  if (text.endsWith('@')) return parseUser(text);
  if (text.includes('@')) return parseAddress(text);
  if (text.startsWith('[')) return bad(text, 'an address literal needs its user: user@[192.0.2.1]');
  const subdomains = text.startsWith('.');
  const parsed = parseDomain(subdomains ? text.slice(1) : text);
  if (parsed.kind === 'bad') return bad(text, 'expected user@domain, domain, .domain, user@, user@[ip] or ALL');
  return { kind: 'ok', pattern: { kind: subdomains ? 'subdomains' : 'domain', text, domain: parsed.domain } };
}

function parseUser(text: string): ParsedAccessPattern {
  const parsed = parseLocalPart(text.slice(0, -1), 'refuse');
  if (parsed.kind === 'bad') return bad(text, 'no recipient can have that local part (RFC 5321 section 4.1.2)');
  return { kind: 'ok', pattern: { kind: 'user', text, local: parsed.local } };
}

function parseAddress(text: string): ParsedAccessPattern {
  const parsed = parseRecipient(text, { smtpUtf8: true });
  if (parsed.kind !== 'ok') return bad(text, 'no recipient can have that address (RFC 5321 section 4.1.2)');
  const { local, domain } = parsed.recipient;
  return { kind: 'ok', pattern: { kind: 'address', text, local, domain } };
}

function bad(text: string, why: string): ParsedAccessPattern {
  return { kind: 'bad', message: `${JSON.stringify(text)} is no recipient pattern: ${why}` };
}
