import { createReadStream } from 'node:fs';
import { stat, truncate } from 'node:fs/promises';
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

/** What the file has now: it may grow while it is read. Throws EarlierError where it cannot be read. */
export async function openEarlier(file: string, format: Format): Promise<Earlier> {
  const { size } = await stat(file).catch(unreadable);
  let wholeOctets = 0;
  return {
    async *results() {
      const lines = linesOf(octetsOf(file, size), MOST_LINE_OCTETS);
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

async function* octetsOf(file: string, size: number): AsyncGenerator<Buffer> {
  if (size === 0) return;
  try {
    yield* createReadStream(file, { end: size - 1 });
  } catch (error) {
    unreadable(error as Error);
  }
}

function unreadable({ message }: Error): never {
  throw new EarlierError(`${message}: expected a file with results`);
}

/** Cuts off a torn last line where the file is what `descriptor` writes to: new lines would be glued to it. */
export async function cutTornLine(file: string, descriptor: number, wholeOctets: number): Promise<void> {
  const [theirs, ours] = await Promise.all([stat(file), stat(`/dev/fd/${descriptor}`)]);
  if (theirs.dev === ours.dev && theirs.ino === ours.ino && theirs.size > wholeOctets)
    await truncate(file, wholeOctets);
}
