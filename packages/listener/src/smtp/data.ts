import type { Reply } from '@callahead/core';
import { createMessageLines, MAX_LINE, veilsDot } from './message-lines.ts';
import { normalizeNewlines, type Place } from './newlines.ts';
import { CR, DOT, LF, NUL } from './octets.ts';

export type DataOptions = Readonly<{
  bareNewline: 'reject' | 'normalize';
  /** In octets, stuffing dots and the terminator not counted (RFC 1870 §3). */
  maxSize: number;
  /** A message with so many Received fields is refused (RFC 5321 §6.3). */
  maxHops: number;
}>;

/** What became of one chunk. */
export type Scanned = Readonly<{
  /** What the next hop gets: still dot-stuffed, all line ends CRLF, never the terminator. Empty once something is wrong. */
  pass: readonly Buffer[];
  /** The terminator was read. */
  end: boolean;
  /** The octets behind the terminator: the client's next commands. */
  rest: Buffer | null;
  /** The first thing wrong with the message, told again with every later chunk; the reply for the true end. */
  violation: Reply | null;
}>;

/** Reads the octets after 354, cut anywhere, up to their end. Nothing may be pushed behind `end`. */
export type DataScanner = Readonly<{ push(chunk: Buffer): Scanned }>;

const BARE_NEWLINE: Reply = { code: 550, enhanced: '5.5.2', text: 'Bare CR or LF in the message' };
const TOO_BIG: Reply = { code: 552, enhanced: '5.3.4', text: 'Message too big' };

/** Where the scanner stands, and what it withholds there: octets that may still turn out to be the terminator, or a bare CR. */
const WITHHELD = {
  start: Buffer.alloc(0),
  bareStart: Buffer.alloc(0),
  dot: Buffer.from('.'),
  dotCr: Buffer.from('.\r'),
  text: Buffer.alloc(0),
  textCr: Buffer.from('\r'),
} as const;
type State = keyof typeof WITHHELD;

/** The octets behind which the scanner stands, as far as they may be the beginning of CRLF "." CRLF. */
const HEARD: Readonly<Record<State, string>> = {
  start: '\r\n',
  bareStart: '',
  dot: '\r\n.',
  dotCr: '\r\n.\r',
  text: '',
  textCr: '\r',
};
/** Where the first octet of what is passed next stands. */
const PLACE: Readonly<Record<State, Place>> = {
  start: 'after-crlf',
  bareStart: 'after-bare',
  dot: 'after-crlf',
  dotCr: 'after-crlf',
  text: 'inside',
  textCr: 'inside',
};

const TERMINATOR = '\r\n.\r\n';
const TERMINATOR_LENGTH = 3; // its first CRLF is the message's last one, or that of the DATA command line (RFC 5321 §4.1.1.4)

/** A scanner for one message. Only CRLF "." CRLF ends it, whatever other hosts take for an end (SPEC 7.5). */
export function createDataScanner({ bareNewline, maxSize, maxHops }: DataOptions): DataScanner {
  const lines = createMessageLines(maxHops);
  let state: State = 'start';
  let earlier = 0; // octets of earlier chunks
  let dots = 0; // stuffing
  let violation: Reply | null = null;
  let ended = false;
  // Of the chunk at hand:
  let lineAt = 0;
  let nuls = 0;
  let bare = false;

  function push(chunk: Buffer): Scanned {
    if (ended) throw new Error('octets behind the end of data are not the message');
    const before = state;
    lineAt = 0;
    nuls = 0;
    bare = false;
    const read = violation === null ? scan(chunk) : skim(chunk);
    const withheld = ended ? TERMINATOR_LENGTH : WITHHELD[state].length;
    const pass = violation === null ? relayed(before, chunk, read - withheld) : [];
    return { pass, end: ended, rest: read < chunk.length ? chunk.subarray(read) : null, violation };
  }

  /** Of a message that is refused only the end is of interest. */
  function skim(chunk: Buffer): number {
    const held = Buffer.from(HEARD[state], 'latin1');
    const octets = Buffer.concat([held, chunk]);
    const at = octets.indexOf(TERMINATOR);
    ended = at >= 0;
    state = heard(octets);
    return ended ? at + TERMINATOR.length - held.length : chunk.length;
  }

  /** Reads up to the terminator or the end of the chunk, and returns how far. Every octet is looked at twice at most. */
  function scan(chunk: Buffer): number {
    for (let at = 0; at < chunk.length; at++) {
      if ((state === 'textCr' || state === 'dotCr') && chunk[at] !== LF) state = endBareLine(chunk, at - 1, at);
      if ((state === 'start' || state === 'bareStart') && lines.inBody()) {
        const skipped = skipLines(chunk, at, { state, normalizes: bareNewline === 'normalize' });
        at = lineAt = skipped.at;
        dots += skipped.dots;
        bare ||= skipped.bare;
        state = skipped.state;
      }
      if (state === 'text') at = skipText(chunk, at);
      if (at === chunk.length) break;
      const octet = chunk[at] as number;
      if (state === 'dotCr' && octet === LF) {
        ended = true;
        checkSize(at - 1);
        return at + 1;
      }
      state = step(chunk, at, octet);
    }
    const carriageReturn = state === 'textCr' || state === 'dotCr' ? 1 : 0;
    refuse(lines.take(chunk, lineAt, chunk.length - carriageReturn, nuls), chunk.length);
    checkSize(chunk.length - carriageReturn);
    earlier += chunk.length;
    return chunk.length;
  }

  /** The state behind an octet that does not end the message. */
  function step(chunk: Buffer, at: number, octet: number): State {
    if (state === 'textCr' && octet === LF) {
      endLine(chunk, at - 1, at + 1);
      return 'start';
    }
    if (octet === LF) return endBareLine(chunk, at, at + 1);
    if (octet === NUL) nuls++;
    if (octet === CR) return state === 'dot' ? 'dotCr' : 'textCr';
    if (octet !== DOT || state !== 'start') return 'text';
    dots++;
    return 'dot';
  }

  function endBareLine(chunk: Buffer, to: number, next: number): State {
    bare = true;
    if (bareNewline === 'reject') refuse(BARE_NEWLINE, next);
    endLine(chunk, to, next);
    return 'bareStart';
  }

  function endLine(chunk: Buffer, to: number, next: number): void {
    refuse(lines.take(chunk, lineAt, to, nuls) ?? lines.end(), to);
    lineAt = next;
    nuls = 0;
  }

  /** What happens inside a chunk may lie behind the octet that was one too many: the same is said however the message was cut. */
  function refuse(reply: Reply | null, at: number): void {
    if (reply !== null) violation ??= earlier + at - dots > maxSize ? TOO_BIG : reply;
  }

  function checkSize(at: number): void {
    if (earlier + at - dots > maxSize) violation ??= TOO_BIG;
  }

  /** The first `length` octets of a chunk, and before them what had been withheld; none of both while it still is. */
  function relayed(before: State, chunk: Buffer, length: number): readonly Buffer[] {
    const held = WITHHELD[before];
    if (length + held.length <= 0) return [];
    const pieces = [held, chunk.subarray(0, length)].filter((piece) => piece.length > 0);
    if (!bare && before !== 'bareStart') return pieces;
    return [normalizeNewlines(Buffer.concat(pieces), PLACE[before])];
  }

  return { push };
}

/** Where octets leave the scanner that looks for nothing but the terminator. */
function heard(octets: Buffer): State {
  const tail = octets.toString('latin1', Math.max(0, octets.length - 4));
  if (tail.endsWith(HEARD.dotCr)) return 'dotCr';
  if (tail.endsWith(HEARD.dot)) return 'dot';
  if (tail.endsWith(HEARD.start)) return 'start';
  return tail.endsWith(HEARD.textCr) ? 'textCr' : 'text';
}

/** The next octet that is not mere text, or the end of the chunk. */
function skipText(chunk: Buffer, from: number): number {
  const { length } = chunk;
  let at = from;
  for (; at < length; at++) {
    const octet = chunk[at] as number;
    if (octet <= CR && (octet === CR || octet === LF || octet === NUL)) break;
  }
  return at;
}

type LineStart = 'start' | 'bareStart';
type Skipped = Readonly<{ at: number; state: LineStart; dots: number; bare: boolean }>;

/** Whole lines of a body that have nothing to look into, from a line start to the start of the first one that has. The bulk of all mail. */
function skipLines(chunk: Buffer, from: number, first: Readonly<{ state: LineStart; normalizes: boolean }>): Skipped {
  const { normalizes } = first;
  const last = chunk.length - 1;
  let afterBare = first.state === 'bareStart';
  let lineAt = from;
  let dots = 0;
  let nuls = 0;
  let bare = false;
  // One loop for all lines: a call for each would make short lines dear.
  for (let at = from; at < chunk.length; at++) {
    const octet = chunk[at] as number;
    if (octet > CR || (octet !== CR && octet !== LF && octet !== NUL)) continue;
    if (octet === NUL) {
      nuls++;
      continue;
    }
    const length = at - lineAt;
    if (length > MAX_LINE || veilsDot(length, nuls)) break;
    if (octet === CR && at === last) break;
    const isBare = octet === LF || chunk[at + 1] !== LF;
    if (isBare && !normalizes) break;
    if (!afterBare && chunk[lineAt] === DOT) {
      if (!isBare && length === 1) break;
      dots++;
    }
    if (isBare) bare = true;
    else at++;
    afterBare = isBare;
    lineAt = at + 1;
    nuls = 0;
  }
  return { at: lineAt, state: afterBare ? 'bareStart' : 'start', dots, bare };
}
