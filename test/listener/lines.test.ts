import test from 'ava';
import fc from 'fast-check';
import { createLines, type Line, type LineOptions } from '../../packages/listener/src/smtp/lines.ts';
import { usedHeap } from '../support/garbage.ts';
import { cut } from '../support/mail-data.ts';

const STRICT: LineOptions = { bareNewline: 'reject', maxLength: 2048 };
const LENIENT: LineOptions = { bareNewline: 'normalize', maxLength: 2048 };

/** All lines of some chunks, up to one after which nothing may be asked. */
function read(options: LineOptions, ...chunks: readonly (string | Buffer)[]): string[] {
  const lines = createLines(options);
  const found: string[] = [];
  for (const chunk of chunks) {
    lines.push(Buffer.from(chunk as string, 'latin1'));
    for (let line = lines.next(); line !== null; line = lines.next()) {
      found.push(show(line));
      if (line.kind === 'bare' || line.kind === 'endless') return found;
    }
  }
  return found;
}

function show(line: Line): string {
  return line.kind === 'line' ? line.text : `(${line.kind})`;
}

test('lines end with CRLF', (t) => {
  t.deepEqual(read(STRICT, 'NOOP\r\n\r\nQUIT\r\nrest'), ['NOOP', '', 'QUIT']);
});

for (const text of ['NOOP\nQUIT\r\n', 'NO\rOP\r\n', 'NOOP\r\r\n', '\n', 'NOOP\rQUIT']) {
  test(`a bare CR or LF in ${JSON.stringify(text)} is no line end`, (t) => {
    t.deepEqual(read(STRICT, text), ['(bare)']);
  });
}

test('bare line ends are line ends where they are normalized', (t) => {
  t.deepEqual(read(LENIENT, 'a\nb\rc\r\n\n\rd\r', '\n'), ['a', 'b', 'c', '', '', 'd']);
});

test('a CR at the end of a segment may be half of a CRLF', (t) => {
  t.deepEqual(read(STRICT, 'NOOP\r', '\nQUIT\r', '\n'), ['NOOP', 'QUIT']);
});

test('a line of the greatest length is a line, a longer one is thrown away to its end', (t) => {
  const most = 'x'.repeat(2046);
  t.deepEqual(read(STRICT, `${most}\r\nNOOP\r\n`), [most, 'NOOP']);
  t.deepEqual(read(STRICT, `${most}x\r\nNOOP\r\n`), ['(long)', 'NOOP']);
  t.deepEqual(read(STRICT, `${most}x`, 'y'.repeat(3000), '\r', '\nNOOP\r\n'), ['(long)', 'NOOP']);
});

test('a line without an end is given up', (t) => {
  const chunks = Array.from({ length: 40 }, () => 'x'.repeat(1000));
  t.deepEqual(read(STRICT, ...chunks), ['(endless)']);
});

test('octets that no line was made of are pending', (t) => {
  const lines = createLines(STRICT);
  t.false(lines.pending());
  lines.push(Buffer.from('NOOP\r\nQ'));
  lines.next();
  t.true(lines.pending());
  lines.push(Buffer.from('UIT\r\n'));
  lines.next();
  t.false(lines.pending());
});

const BIG = Buffer.from(`NOOP${' '.repeat(2_000)}\r\n`.repeat(30));
const SESSIONS = 200;

test('a line that is kept does not keep what was sent along with it', (t) => {
  const before = usedHeap();
  const kept = Array.from({ length: SESSIONS }, () => {
    const lines = createLines(STRICT);
    lines.push(Buffer.concat([Buffer.from('RCPT TO:<somebody@example.com>\r\n'), BIG]));
    return lines.next();
  });
  const octets = usedHeap() - before;
  t.is(kept.length, SESSIONS);
  t.true(octets < (SESSIONS * BIG.length) / 2, `${octets} octets are still in use`);
});

test('a client that has sent much and waits is held by nothing of it', (t) => {
  const before = usedHeap();
  const waiting = Array.from({ length: SESSIONS }, () => {
    const lines = createLines(STRICT);
    lines.push(Buffer.from(BIG));
    for (let count = 0; count < 30; count++) lines.next();
    return lines;
  });
  const octets = usedHeap() - before;
  t.false(waiting.some((lines) => lines.pending()));
  t.true(octets < (SESSIONS * BIG.length) / 2, `${octets} octets are still in use`);
});

test('wherever the segments are cut, the lines are the same', (t) => {
  const octets = fc.string({ unit: fc.constantFrom('a', 'b', '\r', '\n', '\r\n', '\xff'), maxLength: 60 });
  const places = fc.array(fc.nat(60), { maxLength: 8 });
  for (const options of [STRICT, LENIENT, { ...STRICT, maxLength: 6 }, { ...LENIENT, maxLength: 6 }]) {
    fc.assert(
      fc.property(octets, places, (text, at) => {
        const whole = read(options, `${text}\r\n`);
        t.deepEqual(read(options, ...cut(`${text}\r\n`, at)), whole);
      }),
    );
  }
});
