/** Mail data as RFC 5321 §4.5.2 has it, the plain way: what the scanner is measured against. */

export const TERMINATOR = '\r\n.\r\n';

/** Adds the dots. `content` has CRLF line ends only. Binary strings, one character an octet. */
export function dotStuff(content: string): string {
  return `\r\n${content}`.replaceAll('\r\n.', '\r\n..').slice(2);
}

/** Takes the dots away. */
export function dotUnstuff(data: string): string {
  return `\r\n${data}`.replaceAll('\r\n.', '\r\n').slice(2);
}

/** Every bare CR and LF made CRLF. */
export function withCrlf(content: string): string {
  return content.replace(/\r\n|\r|\n/g, '\r\n');
}

export function hasBareNewline(data: string): boolean {
  return /\r(?!\n)|(?<!\r)\n/.test(data);
}

/** What comes before the true end and what behind it; null when there is none. */
export function splitAtEnd(received: string): { message: string; rest: string } | null {
  const at = `\r\n${received}`.indexOf(TERMINATOR);
  return at < 0 ? null : { message: received.slice(0, at), rest: received.slice(at + TERMINATOR.length - 2) };
}

/** Cuts octets at the given places, which may repeat and lie outside. */
export function cut(octets: string, places: readonly number[]): Buffer[] {
  const inside = places.map((place) => Math.min(place, octets.length));
  const sorted = [0, ...inside.sort((a, b) => a - b), octets.length];
  return sorted.slice(1).map((end, i) => Buffer.from(octets.slice(sorted[i], end), 'latin1'));
}
