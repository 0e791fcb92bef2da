import test from 'ava';
import fc from 'fast-check';
import { createDataScanner, type DataOptions } from '../../packages/listener/src/smtp/data.ts';
import { cut, dotStuff, dotUnstuff, hasBareNewline, splitAtEnd, withCrlf } from '../support/mail-data.ts';

const RUNS = 2000;
const options: DataOptions = { bareNewline: 'reject', maxSize: 1_000_000, maxHops: 100 };

/** Octets that lean to what matters: line ends, dots, NULs, header names, blank lines. */
const pieces = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('\r', '\n', '.', '\0', '\r\n', '\r\n.', '..', '\r\n.\r\n', ':', ' ') },
    { weight: 2, arbitrary: fc.constantFrom('Received: by x', 'received :', 'a', 'Subject: x\r\n', '\xe9\xff') },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 6 }).map((octets) => Buffer.from(octets).toString('latin1')) },
  ),
  { maxLength: 24 },
);
const octets = pieces.map((all) => all.join(''));
const cuts = fc.array(fc.nat(80), { maxLength: 80 });

/** Content that a conforming client may send: no bare line ends, a last line end, no NUL that hides a dot. */
const content = octets.map((text) => withCrlf(`${text}\r\n`).replaceAll('\0', 'x\0y'));

function run(received: string, places: readonly number[], settings: DataOptions = options) {
  const scanner = createDataScanner(settings);
  const passed: Buffer[] = [];
  let seen = '';
  let ends = 0;
  const chunks = cut(received, places);
  for (const [i, chunk] of chunks.entries()) {
    const { pass, end, rest, violation } = scanner.push(chunk);
    passed.push(...pass.map((part) => Buffer.from(part)));
    const relayed = Buffer.concat(passed).toString('latin1');
    seen = violation?.text ?? '';
    if (!end) continue;
    ends++;
    const behind = Buffer.concat([rest ?? Buffer.alloc(0), ...chunks.slice(i + 1)]).toString('latin1');
    return { relayed, violation, behind, ends };
  }
  return { relayed: Buffer.concat(passed).toString('latin1'), violation: seen, behind: '', ends };
}

test('a conforming message passes byte for byte, however it was cut, and ends once', (t) => {
  fc.assert(
    fc.property(content, octets, cuts, (message, behind, places) => {
      const scanned = run(`${dotStuff(message)}.\r\n${behind}`, places);
      t.deepEqual(scanned, { relayed: dotStuff(message), violation: null, behind, ends: 1 });
      t.is(dotUnstuff(scanned.relayed), message);
    }),
    { numRuns: RUNS },
  );
});

test('whatever is sent, nothing that passes holds a bare line end or an end of data', (t) => {
  const settings = fc.constantFrom<DataOptions['bareNewline']>('reject', 'normalize');
  fc.assert(
    fc.property(octets, cuts, settings, (received, places, bareNewline) => {
      const { relayed } = run(received, places, { ...options, bareNewline });
      t.false(hasBareNewline(relayed), JSON.stringify(relayed));
      t.is(splitAtEnd(relayed), null, JSON.stringify(relayed));
      // Nor once a careless next hop drops the NULs, provided that we let it see the end of that line.
      const careless = relayed.replaceAll('\0', '');
      t.is(splitAtEnd(careless), null, JSON.stringify(relayed));
    }),
    { numRuns: RUNS },
  );
});

test('the end is where CRLF.CRLF is, and a bare line end before it is a refusal', (t) => {
  fc.assert(
    fc.property(octets, cuts, (received, places) => {
      const parts = splitAtEnd(received);
      const { ends, behind, violation } = run(received, places);
      t.is(ends, parts === null ? 0 : 1);
      if (parts === null) return;
      t.is(behind, parts.rest);
      if (hasBareNewline(parts.message)) t.truthy(violation);
    }),
    { numRuns: RUNS },
  );
});

test('where bare line ends are normalized the content differs in its line ends only', (t) => {
  fc.assert(
    fc.property(octets, cuts, (received, places) => {
      const parts = splitAtEnd(`${received}\r\n.\r\n`);
      if (parts === null || parts.message.includes('\0')) return;
      const { relayed, violation } = run(`${received}\r\n.\r\n`, places, { ...options, bareNewline: 'normalize' });
      t.is(violation, null);
      t.is(dotUnstuff(relayed), withCrlf(dotUnstuff(parts.message)), JSON.stringify(received));
    }),
    { numRuns: RUNS },
  );
});

test('the verdict on a message does not depend on where it was cut', (t) => {
  fc.assert(
    fc.property(octets, cuts, fc.nat(60), fc.integer({ min: 1, max: 3 }), (received, places, maxSize, maxHops) => {
      const settings = { ...options, maxSize, maxHops };
      const whole = run(`${received}\r\n.\r\n`, [], settings);
      const pieces = run(`${received}\r\n.\r\n`, places, settings);
      t.deepEqual(pieces.violation, whole.violation, JSON.stringify(received));
      t.is(pieces.behind, whole.behind);
    }),
    { numRuns: RUNS },
  );
});
