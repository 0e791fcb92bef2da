/** One command line without its line end, one character an octet (latin1), or why there is none. */
export type Line =
  | Readonly<{ kind: 'line'; text: string }>
  /** A CR or LF that is not part of CRLF: what comes behind it cannot be trusted (SPEC 7.5). */
  | Readonly<{ kind: 'bare' }>
  /** A line that was too long; it was read to its end and thrown away. */
  | Readonly<{ kind: 'long' }>
  /** A line without an end. */
  | Readonly<{ kind: 'endless' }>
  /** A client of TLS, or of SSL 2, that takes us for somebody else: it waits for an answer, and a line end may never come. */
  | Readonly<{ kind: 'handshake' }>;

export type LineOptions = Readonly<{
  bareNewline: 'reject' | 'normalize';
  /** In octets, line end included. */
  maxLength: number;
}>;

export type Lines = Readonly<{
  push(chunk: Buffer): void;
  /** The next line, or null until more is pushed. Nothing may be asked for after `bare`, `endless` or `handshake`. */
  next(): Line | null;
  /** Has the client sent octets that no line was made of? */
  pending(): boolean;
}>;

/** How much of a line is read before its end is given up. */
const ENDLESS_OCTETS = 16 * 1024;

const NOTHING = Buffer.alloc(0);
const BARE: Line = { kind: 'bare' };
const LONG: Line = { kind: 'long' };
const ENDLESS: Line = { kind: 'endless' };
const HANDSHAKE: Line = { kind: 'handshake' };

/** Cuts what a client sends into command lines, wherever its segments were cut. Holds no more than one chunk and one line, and nothing once all was read. */
export function createLines({ bareNewline, maxLength }: LineOptions): Lines {
  let octets: Buffer = NOTHING;
  /** The same, to look for line ends in. */
  let text = '';
  let at = 0;
  /** Octets of the current line that were thrown away, because the line is too long already. */
  let skipped = 0;

  function push(chunk: Buffer): void {
    hold(at === octets.length ? chunk : Buffer.concat([octets.subarray(at), chunk]));
  }

  function hold(held: Buffer): void {
    octets = held;
    text = held.toString('latin1');
    at = 0;
  }

  function next(): Line | null {
    if (skipped === 0 && beginsHandshake()) return HANDSHAKE;
    const lf = text.indexOf('\n', at);
    const line = text.slice(at, lf < 0 ? text.length : lf);
    const cr = line.indexOf('\r');
    if (lf >= 0 && cr === line.length - 1 && cr >= 0) return take(cr, lf + 1);
    // A CR at the very end may be half of a CRLF.
    const bareCr = cr >= 0 && cr < line.length - 1;
    if (lf < 0 && !bareCr) return unfinished(line);
    if (bareNewline === 'reject') return BARE;
    return bareCr ? take(cr, at + cr + 1) : take(line.length, lf + 1);
  }

  /** A record of TLS with a handshake (RFC 8446 §5.1), or the hello of SSL 2 that offers a later version (RFC 6101 appendix E). */
  function beginsHandshake(): boolean {
    const first = text.charCodeAt(at);
    return (first === 0x16 && text.charCodeAt(at + 1) === 3) || (first === 0x80 && text.charCodeAt(at + 2) === 1);
  }

  function take(length: number, until: number): Line {
    const size = skipped + until - at;
    // A string of its own: addresses outlive the session, and a part of `text` would keep all of that in memory.
    const line = size > maxLength ? LONG : { kind: 'line' as const, text: octets.toString('latin1', at, at + length) };
    at = until;
    skipped = 0;
    if (at === octets.length) hold(NOTHING);
    return line;
  }

  function unfinished(line: string): Line | null {
    if (skipped + line.length > ENDLESS_OCTETS) return ENDLESS;
    const cr = line.endsWith('\r') ? 1 : 0;
    const kept = skipped + line.length > maxLength ? cr : line.length;
    skipped += line.length - kept;
    if (kept < octets.length) hold(Buffer.from(octets.subarray(octets.length - kept)));
    return null;
  }

  return { push, next, pending: () => at < text.length || skipped > 0 };
}
