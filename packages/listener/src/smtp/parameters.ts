import type { Reply } from '@callahead/core';
import { SAYS } from '../texts.ts';

/** One `keyword=value` of MAIL or RCPT (RFC 5321 §4.1.2), the keyword in upper case; the value null where there is no `=`. */
export type Parameter = Readonly<{ keyword: string; value: string | null }>;

/** What stands behind `FROM:` or `TO:`: the path without its brackets, and the parameters. */
export type PathArgument = Readonly<{ path: string; parameters: readonly Parameter[] }>;

/** What MAIL declares about its message. `size` in octets, null where it said nothing. */
export type MailParameters = Readonly<{ body: '7BIT' | '8BITMIME'; smtpUtf8: boolean; size: number | null }>;

const NONE: readonly Parameter[] = [];
const PARAMETER = /^([a-z\d][a-z\d-]*)(?:=([!-<>-~]+))?$/i;

/**
 * Takes apart `<path> KEYWORD=value …`. null: there is no path in angle brackets, or a parameter that is none.
 * A space before the path is against RFC 5321 §3.3 and harmless; enough clients send one.
 */
export function parsePathArgument(argument: string): PathArgument | null {
  const open = argument.startsWith('<') ? 0 : argument.search(/[^ ]/);
  if (argument[open] !== '<') return null;
  const close = closingBracket(argument, open + 1);
  if (close < 0) return null;
  const path = decode(argument.slice(open + 1, close));
  const rest = argument.slice(close + 1);
  if (rest === '') return { path, parameters: NONE };
  if (!rest.startsWith(' ')) return null;
  const parameters: Parameter[] = [];
  for (const word of rest.split(' ')) {
    if (word === '') continue;
    const match = PARAMETER.exec(word);
    if (match === null) return null;
    parameters.push({ keyword: (match[1] ?? '').toUpperCase(), value: match[2] ?? null });
  }
  return { path, parameters };
}

/** Where the path ends: a bracket inside a quoted local part does not end it. */
function closingBracket(text: string, from: number): number {
  const plain = text.indexOf('>', from);
  const quote = text.indexOf('"', from);
  if (quote < 0 || plain < quote) return plain;
  let quoted = false;
  for (let at = from; at < text.length; at++) {
    if (quoted && text[at] === '\\') at++;
    else if (text[at] === '"') quoted = !quoted;
    else if (text[at] === '>' && !quoted) return at;
  }
  return -1;
}

/** Octets to text. What is not UTF-8 becomes U+FFFD, which no address parser lets pass. */
function decode(octets: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII is what is meant.
  return /^[\x00-\x7f]*$/.test(octets) ? octets : Buffer.from(octets, 'latin1').toString('utf8');
}

/** Reads the parameters of MAIL: SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC 6531). All others, those of DSN too, are unknown (SPEC 7.4). */
export function readMailParameters(parameters: readonly Parameter[], maxSize: number): MailParameters | Reply {
  let body: MailParameters['body'] = '7BIT';
  let smtpUtf8 = false;
  let size: number | null = null;
  const seen = new Set<string>();
  for (const { keyword, value } of parameters) {
    if (seen.has(keyword)) return SAYS.repeatedParameter;
    seen.add(keyword);
    switch (keyword) {
      case 'SIZE':
        if (value === null || !/^\d{1,20}$/.test(value)) return SAYS.badParameter;
        size = Number(value);
        if (size > maxSize) return SAYS.tooBig;
        break;
      case 'BODY': {
        const type = value?.toUpperCase();
        if (type !== '7BIT' && type !== '8BITMIME') return SAYS.badParameter;
        body = type;
        break;
      }
      case 'SMTPUTF8':
        if (value !== null) return SAYS.badParameter;
        smtpUtf8 = true;
        break;
      default:
        return SAYS.unknownParameter;
    }
  }
  return { body, smtpUtf8, size };
}
