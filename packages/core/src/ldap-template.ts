import type { Recipient } from './recipient.ts';

/** What stands for a part of the recipient: `a` its whole address, `u` the local part, `d` the domain (SPEC 5.2), each in canonical form. */
export type LdapToken = 'a' | 'u' | 'd';

/** A search filter or a base with tokens. `render` puts a recipient in, escaped so that it stays one value (RFC 4515 §3, RFC 4514 §2.4). */
export type LdapTemplate = Readonly<{
  text: string;
  tokens: ReadonlySet<LdapToken>;
  render(recipient: Recipient): string;
}>;

/** `why` stands behind the text in a message. */
export type ParsedLdapTemplate =
  | Readonly<{ kind: 'ok'; template: LdapTemplate }>
  | Readonly<{ kind: 'bad'; why: string }>;

/** Parses a filter of RFC 4515. Tokens may stand in values only. */
export function parseLdapFilter(text: string): ParsedLdapTemplate {
  const token = wrongToken(text);
  if (token !== null) return { kind: 'bad', why: token };
  const literal = decodeOctets(text);
  if (literal === null) return { kind: 'bad', why: 'has escaped octets that are not UTF-8' };
  const end = endOfFilter(literal, 0);
  if (typeof end !== 'number') return { kind: 'bad', why: end.why };
  if (end < literal.length) return { kind: 'bad', why: `goes on behind its end with ${quote(literal.slice(end))}` };
  return { kind: 'ok', template: templateOf(text, literal, escapeFilterValue) };
}

/** Parses a distinguished name of RFC 4514, spaces behind commas allowed. Tokens may stand in values only. */
export function parseLdapBase(text: string): ParsedLdapTemplate {
  const token = wrongToken(text);
  if (token !== null) return { kind: 'bad', why: token };
  if (text !== '' && !DN.test(text)) return { kind: 'bad', why: 'is no distinguished name' };
  return { kind: 'ok', template: templateOf(text, text, escapeDnValue) };
}

/** A value as it stands in a filter (RFC 4515 §3). Other characters stand for themselves, UTF-8 too. */
function escapeFilterValue(value: string): string {
  return value.replace(/[*()\\\0]/g, escapeOctet);
}

/** A value as it stands in a distinguished name (RFC 4514 §2.4). A space or `#` counts only at its ends, yet may be escaped everywhere. */
function escapeDnValue(value: string): string {
  return value.replace(/["+,;<>=#\\ \0]/g, escapeOctet);
}

function escapeOctet(character: string): string {
  return `\\${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

function templateOf(text: string, literal: string, escaped: (value: string) => string): LdapTemplate {
  // Taken apart once: what a token becomes is never searched for tokens again. Every second part is a token's letter.
  const parts = literal.split(/\{([aud])\}/);
  return {
    text,
    tokens: new Set(parts.filter((_, i) => i % 2 === 1)) as ReadonlySet<string> as ReadonlySet<LdapToken>,
    render: (recipient) => parts.map((part, i) => (i % 2 === 1 ? escaped(partOf(recipient, part)) : part)).join(''),
  };
}

function partOf(recipient: Recipient, token: string): string {
  if (token === 'u') return recipient.local;
  return token === 'd' ? recipient.domain : recipient.address;
}

function wrongToken(text: string): string | null {
  const wrong = text.match(/\{[^}]*\}?|\}/g)?.find((token) => !/^\{[aud]\}$/.test(token));
  return wrong === undefined
    ? null
    : `has the unknown token ${quote(wrong)} ({a}, {u} and {d} are known, braces are written \\7b and \\7d)`;
}

/** The client library reads `\c3\a9` as two characters, not as the octets of one: characters beyond ASCII are given to it as themselves. */
function decodeOctets(text: string): string | null {
  try {
    return text.replace(/(?:\\[89a-f][\da-f])+/gi, (octets) =>
      new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(octets.replaceAll('\\', ''), 'hex')),
    );
  } catch {
    return null;
  }
}

const ATTRIBUTE = '[A-Za-z][A-Za-z\\d-]*';
const OID = '(?:[A-Za-z][A-Za-z\\d-]*|\\d+(?:\\.\\d+)*)';
const CHARACTER = '(?:\\\\[\\da-fA-F]{2}|[^()*\\\\\\0])';
/** A part without parts of its own: equality, presence and substrings; then the other comparisons; then matching rules (RFC 4515 §3). */
const ITEM = new RegExp(
  `^(?:${ATTRIBUTE}=${CHARACTER}*(?:\\*${CHARACTER}+)*\\*?|${ATTRIBUTE}[<>~]=${CHARACTER}*|${ATTRIBUTE}(?::dn)?(?::${OID})?:=${CHARACTER}*|(?::dn)?:${OID}:=${CHARACTER}*)$`,
);
const DN_CHARACTER = '(?:\\\\[\\da-fA-F]{2}|\\\\["+,;<>=#\\\\ ]|[^"+,;<>\\\\\\0])';
const RDN = ` *${OID} *= *${DN_CHARACTER}*`;
const DN = new RegExp(`^${RDN}(?:[,+]${RDN})*$`);

/** Where the filter that begins at `start` ends, or why there is none. */
function endOfFilter(text: string, start: number): number | Readonly<{ why: string }> {
  if (text[start] !== '(') return { why: `has no "(" where a filter begins, at ${quote(text.slice(start))}` };
  const operator = text[start + 1] ?? '';
  if (operator !== '&' && operator !== '|' && operator !== '!') return endOfItem(text, start);
  let at = start + 2;
  do {
    const end = endOfFilter(text, at);
    if (typeof end !== 'number') return end;
    at = end;
  } while (operator !== '!' && text[at] === '(');
  return text[at] === ')' ? at + 1 : { why: `lacks a ")" at ${quote(text.slice(at))}` };
}

function endOfItem(text: string, start: number): number | Readonly<{ why: string }> {
  const end = text.indexOf(')', start);
  if (end === -1) return { why: `lacks the ")" of ${quote(text.slice(start))}` };
  const item = text.slice(start + 1, end);
  return ITEM.test(item) ? end + 1 : { why: `has no comparison in (${item})` };
}

function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 37)}...` : text);
}
