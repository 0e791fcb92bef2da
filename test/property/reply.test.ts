import { createReplyParser } from '@callahead/core';
import test from 'ava';
import fc from 'fast-check';

const text = fc.string({ unit: fc.constantFrom(...' abcXYZ059-.\t'), maxLength: 40 });
const reply = fc.record({
  code: fc.integer({ min: 200, max: 599 }),
  lines: fc.array(text, { minLength: 1, maxLength: 5 }),
});

function print({ code, lines }: { code: number; lines: string[] }): string {
  return lines.map((line, i) => `${code}${i < lines.length - 1 ? '-' : ' '}${line}\r\n`).join('');
}

test('replies are the same wherever the stream is cut', (t) => {
  fc.assert(
    fc.property(fc.array(reply, { maxLength: 6 }), fc.array(fc.nat(400), { maxLength: 12 }), (replies, cuts) => {
      const stream = Buffer.from(replies.map(print).join(''), 'latin1');
      const parser = createReplyParser();
      const at = [0, ...cuts.map((cut) => cut % (stream.length + 1)).sort((a, b) => a - b), stream.length];
      const found = at.flatMap((from, i) => [...parser.push(stream.subarray(from, at[i + 1] ?? stream.length))]);
      t.deepEqual(
        found,
        replies.map((r) => ({ kind: 'reply' as const, ...r })),
      );
    }),
  );
});

test('whatever comes, the parser does not throw and says nothing after what is no reply', (t) => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 8 }), (chunks) => {
      const parser = createReplyParser();
      const found = chunks.flatMap((chunk) => [...parser.push(chunk)]);
      const bad = found.findIndex((f) => f.kind === 'malformed');
      t.true(bad === -1 || bad === found.length - 1);
    }),
  );
});
