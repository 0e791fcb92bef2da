import { DOT } from './octets.ts';

/** Reads the lines of a header section, cut anywhere, for the fields of one name. */
export type FieldReader = Readonly<{
  /** More octets of the current line. true once a line: where the name of a wanted field is complete. */
  read(chunk: Buffer, from: number, to: number): boolean;
  /** The line is over. false: it was no header field, so the header section is over too. */
  endLine(): boolean;
}>;

const COLON = 0x3a;
const SPACE = 0x20;
const TAB = 0x09;

/** What a line has turned out to be so far: `spaced` is a name and the white space that RFC 5322 §4.5.3 once allowed before its colon. */
type Line = 'unread' | 'name' | 'spaced' | 'field' | 'folded' | 'other';

/** `name` in lower case; fields are found in any case (RFC 5322 §1.2.2). */
export function createFieldReader(name: string): FieldReader {
  const wanted = Buffer.from(name, 'latin1');
  let line: Line = 'unread';
  let position = 0;
  let same = true;

  function read(chunk: Buffer, from: number, to: number): boolean {
    for (let at = from; at < to && (line === 'unread' || line === 'name' || line === 'spaced'); at++) {
      const octet = chunk[at] as number;
      if (octet === DOT && line === 'unread') continue; // stuffing
      line = follow(line, octet);
      if (line === 'name') same &&= (octet | 0x20) === wanted[position++];
      if (line === 'field') return same && position === wanted.length;
    }
    return false;
  }

  function endLine(): boolean {
    const goesOn = line === 'field' || line === 'folded';
    line = 'unread';
    position = 0;
    same = true;
    return goesOn;
  }

  return { read, endLine };
}

function follow(line: Line, octet: number): Line {
  if (octet === SPACE || octet === TAB) return line === 'unread' ? 'folded' : 'spaced';
  if (octet === COLON) return line === 'unread' ? 'other' : 'field';
  const printable = octet > SPACE && octet < 0x7f;
  return printable && line !== 'spaced' ? 'name' : 'other';
}
