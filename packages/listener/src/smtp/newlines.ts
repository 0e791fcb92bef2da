import { CR, DOT, LF } from './octets.ts';

/** Where an octet of a message stands: first of a line that CRLF ended, first of a line that a bare CR or LF ended, or inside a line. */
export type Place = 'after-crlf' | 'after-bare' | 'inside';

/** Normalized octets, and where the octet that follows them will stand. */
export type Normalized = Readonly<{ octets: Buffer; place: Place }>;

/**
 * Makes every bare CR and LF of dot-stuffed mail data a CRLF: un-stuffing what comes out gives the un-stuffed input with its line ends made CRLF.
 * A dot that starts a line only now gets its stuffing, and a stuffing dot before a bare line end goes with it: either would end the data at the
 * next hop. `data` ends neither in a CR nor in the first dot of a line, which the scanner withholds.
 */
export function normalizeNewlines(data: Buffer, start: Place): Normalized {
  const out = Buffer.allocUnsafe(2 * data.length);
  let place = start;
  let length = 0;
  for (let at = 0; at < data.length; at++) {
    const octet = data[at] as number;
    if (octet === CR || octet === LF) {
      place = octet === CR && data[at + 1] === LF ? 'after-crlf' : 'after-bare';
      if (place === 'after-crlf') at++;
      out[length++] = CR;
      out[length++] = LF;
      continue;
    }
    const stuffing = octet === DOT && place === 'after-crlf' && isBareNewline(data, at + 1);
    if (octet === DOT && place === 'after-bare') out[length++] = DOT;
    if (!stuffing) out[length++] = octet;
    place = 'inside';
  }
  return { octets: out.subarray(0, length), place };
}

function isBareNewline(data: Buffer, at: number): boolean {
  return data[at] === LF || (data[at] === CR && data[at + 1] !== LF);
}
