import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import type { Format, Written } from './format.ts';
import { linesOf } from './lines.ts';

/** Results that an earlier run wrote to a file. */
export type Earlier = Readonly<{
  /** In their order. Throws EarlierError at a line that is no result. A last line without its end is none: its run was cut off there. */
  results(): AsyncGenerator<Written>;
  /** Where the last whole line ends; known when `results` has ended. */
  wholeOctets(): number;
}>;

/** What the file has is of no use for going on. */
export class EarlierError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'EarlierError';
  }
}

/** A result has a reply of one SMTP line at most, and an address. */
const MOST_LINE_OCTETS = 16_384;

/** What the file has now: it may grow while it is read. Throws EarlierError where there is none. */
export async function openEarlier(file: string, format: Format): Promise<Earlier> {
  const { size } = await stat(file).catch((error: Error) => {
    throw new EarlierError(`${error.message}: expected a file with results`);
  });
  let wholeOctets = 0;
  return {
    async *results() {
      if (size === 0) return;
      const lines = linesOf(createReadStream(file, { end: size - 1 }), MOST_LINE_OCTETS);
      let number = 0;
      for await (const { text, whole, endOctet } of lines) {
        if (!whole) return;
        number++;
        wholeOctets = endOctet;
        if (number === 1 && text === format.header.trimEnd() && text !== '') continue;
        const written = format.read(text);
        if (written === null) throw new EarlierError(`${file}:${number}: is no result in the format that is asked for`);
        yield written;
      }
    },
    wholeOctets: () => wholeOctets,
  };
}

/** Cuts off a torn last line where the file is what `descriptor` writes to: new lines would be glued to it. */
export async function cutTornLine(file: string, descriptor: number, wholeOctets: number): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    const [theirs, ours] = await Promise.all([handle.stat(), stat(`/dev/fd/${descriptor}`)]);
    if (theirs.dev === ours.dev && theirs.ino === ours.ino && theirs.size > wholeOctets)
      await handle.truncate(wholeOctets);
  } finally {
    await handle.close();
  }
}
