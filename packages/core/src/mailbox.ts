import { parseDomain } from './domain.ts';

/** What is wrong with an address: `routed` has an unquoted `%`, `!`, `|` or leading `/` in its local part; `utf8` needs SMTPUTF8; `domain` names no domain that can exist. */
export type MailboxFault = 'syntax' | 'domain' | 'utf8' | 'routed';

/** `local` and `domain` in canonical form; they make the address with an `@` between them. */
export type ParsedMailbox =
  | Readonly<{ kind: 'ok'; local: string; domain: string }>
  | Readonly<{ kind: 'bad'; fault: MailboxFault }>;

/** `routed`: may the local part hold the characters by which old mailers route (SPEC 9.3)? */
export type MailboxRules = Readonly<{ smtpUtf8: boolean; routed: Routed }>;
export type Routed = 'allow' | 'refuse';

/** Parses a Path of RFC 5321 §4.1.2 without its angle brackets. A source route is checked and dropped. */
export function parsePath(text: string, rules: MailboxRules): ParsedMailbox {
  // U+FFFD is what a decoder leaves of octets that are not UTF-8.
  if (text.includes('\ufffd') || !text.isWellFormed()) return bad('syntax');
  if (NON_ASCII.test(text) && !rules.smtpUtf8) return bad('utf8');
  if (Buffer.byteLength(text) > MAX_PATH_OCTETS) return bad('syntax');
  const start = sourceRouteEnd(text);
  if (start === -1) return bad('syntax');
  return parseMailbox(text.slice(start), rules);
}

/** Parses a local part in the form of RFC 5321 §4.1.2 into its canonical form: quoted only where it must be. */
export function parseLocalPart(text: string, rule: Routed): Readonly<{ kind: 'ok'; local: string }> | Bad {
  if (Buffer.byteLength(text) > MAX_LOCAL_OCTETS) return bad('syntax');
  const quoted = text.startsWith('"');
  const content = quoted ? unquote(text) : text;
  if (content === null || HOSTILE.test(content) || hidesAscii(content)) return bad('syntax');
  const dotString = DOT_STRING.test(content);
  const routed = rule === 'refuse' && ROUTED.test(content);
  // Unquoted, `"a!b"` would become the very address that is refused.
  if (dotString && !routed) return { kind: 'ok', local: content };
  if (quoted) return { kind: 'ok', local: `"${content.replace(/["\\]/g, '\\$&')}"` };
  return bad(dotString ? 'routed' : 'syntax');
}

type Bad = Readonly<{ kind: 'bad'; fault: MailboxFault }>;

/** RFC 5321 §4.5.3.1.3 says 256 with the angle brackets. */
const MAX_PATH_OCTETS = 254;
/** RFC 5321 §4.5.3.1.1 */
export const MAX_LOCAL_OCTETS = 64;

const NON_ASCII = /\P{ASCII}/u;
const ROUTED = /[%!|]|^\//;
/** Dot-string of RFC 5321 §4.1.2, its atext widened by RFC 6531 §3.3. */
const DOT_STRING = /^[\w!#$%&'*+/=?^`{|}~\-\u{80}-\u{10ffff}]+(?:\.[\w!#$%&'*+/=?^`{|}~\-\u{80}-\u{10ffff}]+)*$/u;
/** A quoted string of RFC 5321 §4.1.2; RFC 6531 widens the text, not what a backslash may quote. */
const QUOTED_STRING = /^"(?:[ !#-[\]-~\u{80}-\u{10ffff}]|\\[ -~])*"$/u;
/** What a reader cannot see or a terminal obeys: controls, bidi and zero-width characters, separators; PRECIS refuses them too (RFC 8264 §9). */
const HOSTILE = /[\p{Cc}\p{Cf}\p{Co}\p{Noncharacter_Code_Point}\p{Default_Ignorable_Code_Point}]|[\p{Z}--\p{ASCII}]/v;

function bad(fault: MailboxFault): Bad {
  return { kind: 'bad', fault };
}

function parseMailbox(text: string, rules: MailboxRules): ParsedMailbox {
  const at = localPartEnd(text);
  if (text[at] !== '@') return bad('syntax');
  const local = parseLocalPart(text.slice(0, at), rules.routed);
  if (local.kind === 'bad') return local;
  const domain = parseDomain(text.slice(at + 1));
  if (domain.kind === 'bad') return domain;
  // A-labels can be longer than the U-labels they stand for.
  if (Buffer.byteLength(local.local) + 1 + domain.domain.length > MAX_PATH_OCTETS) return bad('syntax');
  return { kind: 'ok', local: local.local, domain: domain.domain };
}

/** Where the mailbox starts behind `@a,@b:`; -1 where the route is wrong (RFC 5321 §4.1.2 and appendix C). */
function sourceRouteEnd(text: string): number {
  if (!text.startsWith('@')) return 0;
  const colon = text.indexOf(':');
  for (const hop of text.slice(0, Math.max(colon, 0)).split(',')) {
    if (!hop.startsWith('@') || hop.startsWith('@[')) return -1;
    if (parseDomain(hop.slice(1)).kind === 'bad') return -1;
  }
  return colon + 1;
}

/** The index behind the local part, quotes included. */
function localPartEnd(text: string): number {
  if (!text.startsWith('"')) return text.indexOf('@');
  for (let i = 1; i < text.length; i += 1) {
    if (text[i] === '\\') i += 1;
    else if (text[i] === '"') return i + 1;
  }
  return text.length;
}

function unquote(text: string): string | null {
  return QUOTED_STRING.test(text) ? text.slice(1, -1).replace(/\\(.)/g, '$1') : null;
}

// A server that normalises before it parses would read U+FF20 as an at-sign, U+2026 as three dots.
// The local part itself is never normalised: only its own host may interpret it (RFC 5321 §2.3.11, RFC 6530 §10.1).
function hidesAscii(content: string): boolean {
  if (!NON_ASCII.test(content)) return false;
  const beyond = content.replace(/\p{ASCII}/gu, '');
  return /[^\P{ASCII}\p{L}\p{N}]/u.test([...beyond].map((character) => character.normalize('NFKC')).join(''));
}
