import type { Reply } from '@callahead/core';
import { createFieldReader } from './message-fields.ts';

/** Follows a message line by line and says what is wrong with one: too long, too many hops, a terminator behind a NUL. */
export type MessageLines = Readonly<{
  /** More octets of the current line, without its line end, of which `nuls` are NUL. */
  take(chunk: Buffer, from: number, to: number, nuls: number): Reply | null;
  /** The current line is over. */
  end(): Reply | null;
  /** The header section is over: lines are of interest for their length and their NULs only. */
  inBody(): boolean;
}>;

// RFC 5321 §4.5.3.1.6 has us receive lines of 1,000 octets, and §4.5.3.1 asks for no limit where that can be helped: many programs write longer
// ones, and nothing here gathers a line. This bound only stops what is no text at all; a next hop with a narrower one says so itself.
export const MAX_LINE = 65_536;

// As Exim's header_maxsize: no program needs as much, and every hop would read it again.
const MAX_HEADER = 1_048_576;

const TOO_LONG: Reply = { code: 554, enhanced: '5.6.0', text: `A line of more than ${MAX_LINE} octets` };
const TOO_MANY_HOPS: Reply = { code: 554, enhanced: '5.4.6', text: 'Too many hops, mail loop' };
const HEADER_TOO_BIG: Reply = { code: 552, enhanced: '5.3.4', text: 'Header section too big' };
const VEILED_DOT: Reply = { code: 550, enhanced: '5.5.2', text: 'NUL in an otherwise empty line of the message' };

/** Lines of one message, the first one its first header field. */
export function createMessageLines(maxHops: number): MessageLines {
  const field = createFieldReader('received');
  let inHeader = true;
  let headerSize = 0;
  let length = 0;
  let nuls = 0;
  let hops = 0;

  function take(chunk: Buffer, from: number, to: number, nulsHere: number): Reply | null {
    if (to <= from) return null;
    if (inHeader && field.read(chunk, from, to)) hops++;
    length += to - from;
    nuls += nulsHere;
    return length > MAX_LINE ? TOO_LONG : null;
  }

  function end(): Reply | null {
    const veiled = veilsDot(length, nuls);
    if (inHeader) {
      headerSize += length;
      inHeader = field.endLine();
    }
    length = 0;
    nuls = 0;
    if (veiled) return VEILED_DOT;
    if (hops >= maxHops) return TOO_MANY_HOPS;
    return headerSize > MAX_HEADER ? HEADER_TOO_BIG : null;
  }

  return { take, end, inBody: () => !inHeader };
}

/** A next hop that drops NULs would read a dot among them as the end of data. Elsewhere a NUL is a character like others (RFC 5321 §4.1.1.4). */
export function veilsDot(length: number, nuls: number): boolean {
  return nuls > 0 && length - nuls < 2;
}
