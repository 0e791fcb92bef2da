import test from 'ava';
import { createDataScanner, type DataOptions } from '../../packages/listener/src/smtp/data.ts';
import { MAX_LINE } from '../../packages/listener/src/smtp/message-lines.ts';
import { cut, hasBareNewline, splitAtEnd } from '../support/mail-data.ts';

const options: DataOptions = { bareNewline: 'reject', maxSize: 1_000_000, maxHops: 100 };

type Run = Readonly<{ relayed: string; code: number | null; enhanced: string | null; rest: string; ends: number }>;

/** Scans what was received, cut at the given places; whatever lies behind the end is `rest`. */
function run(received: string, places: readonly number[] = [], settings: DataOptions = options): Run {
  const scanner = createDataScanner(settings);
  const passed: Buffer[] = [];
  const chunks = cut(received, places);
  let code: number | null = null;
  let enhanced: string | null = null;
  for (const [i, chunk] of chunks.entries()) {
    const { pass, end, rest, violation } = scanner.push(chunk);
    passed.push(...pass);
    code = violation?.code ?? null;
    enhanced = violation?.enhanced ?? null;
    if (!end) continue;
    const behind = Buffer.concat([rest ?? Buffer.alloc(0), ...chunks.slice(i + 1)]).toString('latin1');
    return { relayed: Buffer.concat(passed).toString('latin1'), code, enhanced, rest: behind, ends: 1 };
  }
  return { relayed: Buffer.concat(passed).toString('latin1'), code, enhanced, rest: '', ends: 0 };
}

/** Whole, cut once at every octet, and octet by octet. */
function everyCut(received: string): readonly (readonly number[])[] {
  const places = Array.from(received, (_, at) => at);
  return [[], ...places.map((at) => [at]), places];
}

// What other hosts have been known to take for the end of data, in the middle of a message: "smuggled" is a second message only for them.
const VARIANTS = [
  '\n.\n',
  '\n.\r\n',
  '\n.\r',
  '\r.\r',
  '\r.\r\n',
  '\r.\n',
  '\r\n.\n',
  '\r\n.\r',
  '\r\n.\r\r\n',
  '\r\r\n.\r\r\n',
  '\n\n.\n\n',
  '\r\r.\r\r',
  '\n\r.\n\r',
  '\r\n\0.\r\n',
  '\r\n.\0\r\n',
  '\r\n\0.\0\r\n',
  '\r\0\n.\r\n',
  '\r\n.\r\0\n',
  '\r\0\n.\r\0\n',
  '\n\0.\n',
  '\n.\0\r\n',
  '\r\0.\r',
];

for (const variant of VARIANTS) {
  const received = `one${variant}MAIL FROM:<smuggled@example.com>\r\n.\r\nQUIT\r\n`;

  test(`${JSON.stringify(variant)} ends nothing, and its message is refused after the true end`, (t) => {
    for (const places of everyCut(received)) {
      const { code, enhanced, rest, ends, relayed } = run(received, places);
      t.deepEqual([code, enhanced, rest, ends], [550, '5.5.2', 'QUIT\r\n', 1]);
      t.false(hasBareNewline(relayed));
    }
  });

  test(`${JSON.stringify(variant)} ends nothing where bare line ends are normalized`, (t) => {
    for (const places of everyCut(received)) {
      const { rest, ends, relayed } = run(received, places, { ...options, bareNewline: 'normalize' });
      t.deepEqual([rest, ends], ['QUIT\r\n', 1]);
      t.false(hasBareNewline(relayed));
      t.is(splitAtEnd(relayed.replaceAll('\0', '')), null);
    }
  });
}

test('the terminator may be cut anywhere, and what is behind it is the next command', (t) => {
  const received = 'a\r\n..b\r\n\r\nc\r\n.\r\nMAIL FROM:<>\r\n';
  for (const places of everyCut(received)) {
    t.deepEqual(run(received, places), {
      relayed: 'a\r\n..b\r\n\r\nc\r\n',
      code: null,
      enhanced: null,
      rest: 'MAIL FROM:<>\r\n',
      ends: 1,
    });
  }
});

test('a message that is nothing but the terminator is empty', (t) => {
  for (const places of everyCut('.\r\n')) {
    t.deepEqual(run('.\r\n', places), { relayed: '', code: null, enhanced: null, rest: '', ends: 1 });
  }
});

test('nothing is passed before it is known not to be the terminator', (t) => {
  const scanner = createDataScanner(options);
  t.deepEqual(Buffer.concat(scanner.push(Buffer.from('a\r')).pass).toString(), 'a');
  t.deepEqual(Buffer.concat(scanner.push(Buffer.from('\n.')).pass).toString(), '\r\n');
  t.deepEqual(Buffer.concat(scanner.push(Buffer.from('\r')).pass).toString(), '');
  t.deepEqual(scanner.push(Buffer.from('\n')), { pass: [], end: true, rest: null, violation: null });
});

test('behind the end a scanner takes nothing more', (t) => {
  const scanner = createDataScanner(options);
  scanner.push(Buffer.from('.\r\n'));
  t.throws(() => scanner.push(Buffer.from('a')), { message: /behind the end/ });
});

test('NUL is a character like others in a line that has any', (t) => {
  t.deepEqual(run('a\0b\r\n.\r\n'), { relayed: 'a\0b\r\n', code: null, enhanced: null, rest: '', ends: 1 });
});

test('a line that bare line ends begin and that is a dot goes out stuffed', (t) => {
  const settings: DataOptions = { ...options, bareNewline: 'normalize' };
  t.is(run('a\n.\nb\r.c\r\n.\r\n', [], settings).relayed, 'a\r\n..\r\nb\r\n..c\r\n');
  t.is(run('a\r\n.\nb\r\n.\r\n', [], settings).relayed, 'a\r\n\r\nb\r\n', 'the dot was stuffing and goes with it');
});

test('size counts neither stuffing dots nor the terminator', (t) => {
  const received = '..2345\r\n..\r\n.\r\n';
  for (const places of everyCut(received)) {
    t.is(run(received, places, { ...options, maxSize: 10 }).code, null);
    const { code, enhanced, ends } = run(received, places, { ...options, maxSize: 9 });
    t.deepEqual([code, enhanced, ends], [552, '5.3.4', 1]);
  }
});

test('a message with a hundred Received fields is in a loop', (t) => {
  const field = 'RECEIVED : from a\r\n\tby b\r\n';
  const others = 'Subject: Received: x\r\n Received: folded\r\nX-Received: y\r\n';
  t.is(run(`${others}${field.repeat(99)}\r\n.\r\n`).code, null);
  const looping = `${others}${field.repeat(100)}\r\n.\r\n`;
  for (const places of [[], [7], Array.from(looping, (_, at) => at)]) {
    t.deepEqual([run(looping, places).code, run(looping, places).enhanced], [554, '5.4.6']);
  }
});

test('Received lines of the body are text', (t) => {
  const body = 'Received: from a\r\n'.repeat(200);
  t.is(run(`Subject: x\r\n\r\n${body}.\r\n`).code, null);
  t.is(run(`no header field at all\r\n${body}.\r\n`).code, null);
});

test('a line may be longer than RFC 5321 asks, up to a bound', (t) => {
  t.is(run(`${'a'.repeat(MAX_LINE)}\r\n.\r\n`).code, null);
  t.is(run(`${'a'.repeat(MAX_LINE + 1)}\r\n.\r\n`).code, 554);
  t.is(run(`\r\n${'a'.repeat(MAX_LINE + 1)}\r\n.\r\n`, [10, 20_000]).code, 554);
});

test('a header section without end is refused', (t) => {
  const { code, ends } = run(`${'A: b\r\n'.repeat(300_000)}\r\n.\r\n`, [], { ...options, maxSize: 1e9 });
  t.deepEqual([code, ends], [552, 1]);
});

test('hostile content costs what its length does', (t) => {
  const size = 2 * 1024 * 1024;
  for (const pattern of [
    '..\r\n',
    '\n',
    '\r',
    '.',
    '\0',
    'a',
    `${'a'.repeat(16_384)}\r\n`,
    'A: b\r\n',
    '\r\n..',
    '.\r',
  ]) {
    for (const bareNewline of ['reject', 'normalize'] as const) {
      const scanner = createDataScanner({ bareNewline, maxSize: 1e9, maxHops: 100 });
      const data = Buffer.alloc(size, pattern);
      const before = process.cpuUsage();
      for (let at = 0; at < size; at += 65_536) scanner.push(data.subarray(at, at + 65_536));
      const { user, system } = process.cpuUsage(before);
      // Ordinary text costs 2 to 8 ms; anything that is not linear costs seconds.
      t.true(user + system < 1_000_000, `${JSON.stringify(pattern)} ${bareNewline}: ${user + system} µs`);
    }
  }
});
