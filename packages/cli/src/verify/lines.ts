/** One line of a stream, without its line end. `fromOctet`: where it begins. `whole`: it has its line end; the last one may not. */
export type Line = Readonly<{ text: string; fromOctet: number; endOctet: number; whole: boolean }>;

const LINE_FEED = 10;
const BYTE_ORDER_MARK = /^\uFEFF/;

/** The lines of a stream, in constant memory: what a line has above `mostOctets` is left out. Reads no further than it is asked. */
export async function* linesOf(chunks: AsyncIterable<Buffer>, mostOctets: number): AsyncGenerator<Line> {
  /** The beginning of the line that the last chunk did not end. */
  let begun = '';
  let begunOctets = 0;
  let fromOctet = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (;;) {
      const end = chunk.indexOf(LINE_FEED, from);
      const to = end === -1 ? chunk.length : end;
      const room = Math.max(0, mostOctets - begunOctets);
      // As octets: a character may lie in two chunks.
      begun += chunk.toString('latin1', from, Math.min(to, from + room));
      begunOctets += to - from;
      if (end === -1) break;
      const endOctet = fromOctet + begunOctets + 1;
      yield { text: textOf(begun, fromOctet), fromOctet, endOctet, whole: true };
      fromOctet = endOctet;
      begun = '';
      begunOctets = 0;
      from = end + 1;
    }
  }
  if (begunOctets === 0) return;
  yield { text: textOf(begun, fromOctet), fromOctet, endOctet: fromOctet + begunOctets, whole: false };
}

const NON_ASCII = /[^\0-\x7f]/;

function textOf(octets: string, fromOctet: number): string {
  const text = NON_ASCII.test(octets) ? Buffer.from(octets, 'latin1').toString('utf8') : octets;
  const line = text.endsWith('\r') ? text.slice(0, -1) : text;
  // Windows puts it before the first line.
  return fromOctet === 0 ? line.replace(BYTE_ORDER_MARK, '') : line;
}
