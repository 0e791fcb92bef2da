import { fstatSync } from 'node:fs';
import { Readable } from 'node:stream';
import { printable } from '../visible.ts';
import { type Earlier, EarlierError } from './earlier.ts';
import { linesOf } from './lines.ts';
import { type Address, nameOf, readAddress } from './result.ts';
import type { Tally } from './tally.ts';

/** An address, and how far on the way to the total it is. */
export type Given = Readonly<{ address: Address; place: number }>;

/** What is to be asked about. `total`: addresses, or the octets of a file; null: nobody knows. */
export type Input = Readonly<{ given: AsyncGenerator<Given>; total: number | null; close(): void }>;

/** A stream of addresses, one a line. `octets`: all of it; null where that is unknown. */
export type Stdin = Readonly<{ chunks: AsyncIterable<Buffer>; octets: number | null; close(): void }>;

/** An address has 320 octets at most (RFC 5321 §4.5.3.1): what is longer is none, and needs not be kept. */
const MOST_LINE_OCTETS = 1_000;

export function argumentInput(addresses: readonly string[]): Input {
  async function* given(): AsyncGenerator<Given> {
    for (const [i, text] of addresses.entries()) yield { address: readAddress(text), place: i + 1 };
  }
  return { given: given(), total: addresses.length, close: () => {} };
}

/** Blank lines, and blanks around an address, count for nothing. */
export function streamInput({ chunks, octets, close }: Stdin): Input {
  async function* given(): AsyncGenerator<Given> {
    for await (const { text, endOctet } of linesOf(chunks, MOST_LINE_OCTETS)) {
      const trimmed = text.trim();
      if (trimmed !== '') yield { address: readAddress(trimmed), place: endOctet };
    }
  }
  return { given: given(), total: octets, close };
}

export function processStdin(): Stdin {
  const { stdin } = process;
  const stat = fstatSync(stdin.fd);
  // Of a directory node makes a stream that has ended.
  const chunks = stat.isDirectory() ? noStream('stdin is a directory: expected a file or a pipe') : stdin;
  return { chunks, octets: stat.isFile() ? stat.size : null, close: () => void stdin.destroy() };
}

function noStream(message: string): Readable {
  return new Readable({
    read() {
      this.destroy(new Error(message));
    },
  });
}

/** Takes those from the input that an earlier run has results of, and counts them; resolves with the place of the last one. Throws EarlierError where they are not the same. */
export async function skipEarlier({ given }: Input, earlier: Earlier, file: string, tally: Tally): Promise<number> {
  let place = 0;
  for await (const { recipient, kind } of earlier.results()) {
    const next = await given.next();
    if (next.done === true)
      throw new EarlierError(`${file} has more results than there are addresses, ${tally.total()}`);
    const name = printable(nameOf(next.value.address));
    if (name !== recipient) {
      const number = tally.total() + 1;
      throw new EarlierError(
        `${file} is of other addresses: its result ${number} is of "${recipient}", the address ${number} is "${name}"`,
      );
    }
    tally.add(kind);
    place = next.value.place;
  }
  return place;
}
