import test from 'ava';
import { type Line, linesOf } from '../../../packages/cli/src/verify/lines.ts';

async function* chunksOf(...chunks: readonly (string | Buffer)[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

async function read(mostOctets: number, ...chunks: readonly (string | Buffer)[]): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const line of linesOf(chunksOf(...chunks), mostOctets)) lines.push(line);
  return lines;
}

const texts = (lines: readonly Line[]): string[] => lines.map(({ text }) => text);

test('lines end with LF or CRLF, wherever the chunks end', async (t) => {
  t.deepEqual(texts(await read(100, 'a\r', '\nb', 'c\n', '\n', 'd')), ['a', 'bc', '', 'd']);
});

test('a line knows where it lies, and whether it has its end', async (t) => {
  t.deepEqual(await read(100, 'a\r\nbc'), [
    { text: 'a', fromOctet: 0, endOctet: 3, whole: true },
    { text: 'bc', fromOctet: 3, endOctet: 5, whole: false },
  ]);
});

test('a character in two chunks is one', async (t) => {
  const octets = Buffer.from('jörg\n');
  t.deepEqual(texts(await read(100, octets.subarray(0, 2), octets.subarray(2))), ['jörg']);
});

test('of a line that never ends only the beginning is kept', async (t) => {
  const [first, second] = await read(4, 'abcdefgh', 'ijkl', 'mn\nop\n');
  t.deepEqual(first, { text: 'abcd', fromOctet: 0, endOctet: 15, whole: true });
  t.is(second?.text, 'op');
});

test('the mark that Windows puts before the first line is not of the line', async (t) => {
  t.deepEqual(texts(await read(100, '\uFEFFann\nbob\n')), ['ann', 'bob']);
});

test('an empty stream has no line', async (t) => {
  t.deepEqual(await read(100), []);
  t.deepEqual(texts(await read(100, 'a\n')), ['a']);
});
