/**
 * Reads the replies of a server (RFC 5321 §4.2). A pure machine: octets in, replies out, whatever the segments. It is lenient where servers are
 * (a bare LF ends a line, a code without text, lines longer than 512 octets) and strict where guessing would put words into a server's mouth.
 */

/** One reply as it came: its code, and the text of each of its lines without code and line end, one character an octet (latin1). */
export type RawReply = Readonly<{ kind: 'reply'; code: number; lines: readonly string[] }>;

/** What is no reply. Nothing that follows can be trusted, so the parser says nothing more. */
export type Malformed = Readonly<{ kind: 'malformed'; detail: string }>;

export type ReplyParser = Readonly<{ push(chunk: Uint8Array): readonly (RawReply | Malformed)[] }>;

// RFC 5321 §4.5.3.1.5 allows 512 octets a line; real servers send more. A reply without end is stopped by all three bounds.
const MAX_LINE = 4096;
const MAX_LINES = 200;
const LF = 10;

export function createReplyParser(): ReplyParser {
  let partial = '';
  let code = 0;
  let lines: string[] = [];
  let dead = false;

  /** One line without its line end: null while the reply goes on. */
  function line(text: string): RawReply | Malformed | null {
    const match = /^([1-5]\d\d)(?:([ -])(.*))?$/s.exec(text);
    if (match === null) return malformed(`not a reply: ${printable(text)}`);
    const here = Number(match[1]);
    // "the reply code on each of the lines MUST be the same" (RFC 5321 §4.2.1): of two codes neither is believed.
    if (lines.length > 0 && here !== code) return malformed(`a reply with two codes, ${code} and ${here}`);
    code = here;
    lines.push(match[3] ?? '');
    if (lines.length > MAX_LINES) return malformed(`a reply of more than ${MAX_LINES} lines`);
    if (match[2] === '-') return null;
    const reply: RawReply = { kind: 'reply', code, lines };
    lines = [];
    return reply;
  }

  function malformed(detail: string): Malformed {
    dead = true;
    return { kind: 'malformed', detail };
  }

  function push(chunk: Uint8Array): readonly (RawReply | Malformed)[] {
    const found: (RawReply | Malformed)[] = [];
    const octets = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    while (!dead && start < octets.length) {
      const end = octets.indexOf(LF, start);
      partial += octets.toString('latin1', start, end < 0 ? octets.length : end);
      if (partial.length > MAX_LINE) {
        found.push(malformed(`a reply line of more than ${MAX_LINE} octets`));
        break;
      }
      if (end < 0) break;
      start = end + 1;
      const whole = line(partial.endsWith('\r') ? partial.slice(0, -1) : partial);
      partial = '';
      if (whole !== null) found.push(whole);
    }
    return found;
  }

  return { push };
}

function printable(text: string): string {
  return text.slice(0, 80).replace(/[^\x20-\x7e]/g, '?');
}
