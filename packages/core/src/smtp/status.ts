import type { Reply } from '../verdict.ts';
import type { RawReply } from './reply.ts';

/** A reply line may hold 512 octets (RFC 5321 §4.5.3.1.5); code, enhanced code and line end leave this much for text. */
const MAX_TEXT = 480;

/** What a reply means to us: one line of printable ASCII (SPEC 4.9), the enhanced code only where it is of the class of the basic one (RFC 3463 §2). */
export function readStatus(raw: RawReply): Reply {
  const enhanced = enhancedOf(raw.lines.at(-1) ?? '', raw.code) ?? enhancedOf(raw.lines[0] ?? '', raw.code);
  const text = raw.lines.map((line) => line.replace(ENHANCED, '')).join(' ');
  return { code: raw.code, enhanced, text: oneLine(text) };
}

const ENHANCED = /^([245])\.(\d{1,3})\.(\d{1,3})(?:[ \t]+|$)/;

function enhancedOf(line: string, code: number): string | null {
  const match = ENHANCED.exec(line);
  if (match === null || Number(match[1]) !== Math.floor(code / 100)) return null;
  return `${match[1]}.${Number(match[2])}.${Number(match[3])}`;
}

/** Does a reply to RCPT say that there is no such recipient (SPEC 4.3)? */
export function saysUnknown({ code, enhanced }: Reply): boolean {
  if (code < 500) return false;
  return enhanced === null ? NO_SUCH_USER_ALONE.has(code) : NO_SUCH_USER.has(enhanced);
}

const NO_SUCH_USER: ReadonlySet<string> = new Set(['5.1.1', '5.1.2', '5.1.3', '5.1.6', '5.1.10']);
const NO_SUCH_USER_ALONE: ReadonlySet<number> = new Set([550, 551, 556]);

/**
 * Does a reply to RCPT that is not the first of its transaction say "enough for now" (SPEC 4.4)? 452 is the right code for it, 552 what RFC 821 had
 * (RFC 5321 §4.5.3.1.10).
 */
export function saysEnough({ code, enhanced }: Reply): boolean {
  if (code === 452) return enhanced === null || enhanced === '4.5.3';
  return code === 552 && (enhanced === null || enhanced === '5.5.3');
}

/** Is a 5yz about what we said or who we are, such as a demand for TLS or a login, and so about neither sender nor recipient (SPEC 4.3)? */
export function isAboutUs({ code, enhanced }: Reply): boolean {
  return ABOUT_US.has(code) || (code === 501 && enhanced !== null && enhanced.startsWith('5.5.'));
}

const ABOUT_US: ReadonlySet<number> = new Set([500, 502, 503, 504, 521, 530, 534, 535, 538, 555]);

/** Text from outside made fit for a reply or a log line: printable ASCII, one line, at most 480 octets. */
export function oneLine(text: string): string {
  return text
    .replace(/[\t\r\n]+/g, ' ')
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, MAX_TEXT)
    .trim();
}

/** The reply line as it goes out, without its line end. */
export function printReply(reply: Reply): string {
  return [String(reply.code), reply.enhanced, reply.text].filter((part) => part !== null && part !== '').join(' ');
}
