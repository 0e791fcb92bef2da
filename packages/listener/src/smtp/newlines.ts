import { CR, DOT, LF } from './octets.ts';

/** Where an octet of a message stands: first of a line that CRLF ended, first of a line that a bare CR or LF ended, or inside a line. */
export type Place = 'after-crlf' | 'after-bare' | 'inside';

/**
 * Makes every bare CR and LF of dot-stuffed mail data a CRLF: un-stuffing what comes out gives the un-stuffed input with its line ends made CRLF.
 * A dot that starts a line only now gets its stuffing, and a stuffing dot before a bare line end goes with it: either would end the data at the
 * next hop. `data` ends neither in a CR nor in the first dot of a line, which the scanner withholds.
 */
export function normalizeNewlines(data: Buffer, start: Place): Buffer {
  const out = Buffer.allocUnsafe(2 * data.length);
  const end = data.length;
  let place = start;
  let length = 0;
  for (let at = 0; at < end; at++) {
    let octet = data[at] as number;
    if (octet === DOT && place === 'after-bare') out[length++] = DOT;
    if (octet === DOT && place === 'after-crlf' && isBareNewline(data, at + 1)) octet = data[++at] as number;
    while (octet !== CR && octet !== LF) {
      out[length++] = octet;
      if (++at === end) return out.subarray(0, length);
      octet = data[at] as number;
    }
    const isCrlf = octet === CR && at + 1 < end && data[at + 1] === LF;
    if (isCrlf) at++;
    place = isCrlf ? 'after-crlf' : 'after-bare';
    out[length] = CR;
    out[length + 1] = LF;
    length += 2;
  }
  return out.subarray(0, length);
}

function isBareNewline(data: Buffer, at: number): boolean {
  return data[at] === LF || (data[at] === CR && data[at + 1] !== LF);
}
