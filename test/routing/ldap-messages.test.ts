import test from 'ava';
import fc from 'fast-check';
import { readMessages } from '../../packages/routing/src/ldap-messages.ts';

/** A message of RFC 4511 with an element inside an element. */
const message = fc
  .tuple(fc.integer({ min: 1, max: 127 }), fc.uint8Array({ maxLength: 60 }))
  .map(([id, text]) =>
    Buffer.from([0x30, text.length + 7, 0x02, 0x01, id, 0x64, text.length + 2, 0x04, text.length, ...text]),
  );

function all(chunks: readonly Buffer[]): readonly string[] {
  const messages: string[] = [];
  let rest = Buffer.alloc(0);
  for (const chunk of chunks) {
    const read = readMessages(Buffer.concat([rest, chunk]));
    if (read.kind === 'malformed') throw new Error('malformed');
    messages.push(...read.messages.map((one) => one.toString('hex')));
    rest = Buffer.from(read.rest);
  }
  return [...messages, ...(rest.length > 0 ? [`rest ${rest.toString('hex')}`] : [])];
}

test('messages come whole, wherever the network cuts them', (t) => {
  fc.assert(
    fc.property(fc.array(message, { minLength: 1, maxLength: 5 }), fc.array(fc.nat(400)), (messages, cuts) => {
      const octets = Buffer.concat(messages);
      const at = [0, ...cuts.filter((cut) => cut < octets.length).sort((a, b) => a - b), octets.length];
      const chunks = at.slice(1).map((end, i) => octets.subarray(at[i], end));
      t.deepEqual(
        all(chunks),
        messages.map((one) => one.toString('hex')),
      );
    }),
  );
});

test('whatever octets come, they are read or refused', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (octets, begun) => {
      const read = readMessages(Buffer.from(begun ? [0x30, ...octets] : octets));
      t.true(read.kind === 'malformed' || read.messages.every((one) => one[0] === 0x30));
    }),
    { numRuns: 2_000 },
  );
});

function verdictOn(...octets: readonly number[]): string {
  const read = readMessages(Buffer.from(octets));
  return read.kind === 'malformed' ? read.kind : `${read.messages.length} and ${read.rest.length} octets`;
}

test('lengths that do not fit into each other are refused', (t) => {
  t.is(verdictOn(0x30, 0x05, 0x02, 0x01, 0x01, 0x42, 0x00), '1 and 0 octets');
  t.is(verdictOn(0x30, 0x05, 0x02, 0x01, 0x01, 0x42, 0x01), 'malformed', 'longer than what it is in');
  t.is(verdictOn(0x30, 0x06, 0x02, 0x01, 0x01, 0x64, 0x01, 0x04), 'malformed', 'an element without a length');
  t.is(verdictOn(0x30, 0x04, 0x64, 0x02, 0x04, 0x7f), 'malformed', 'longer than its message');
  t.is(verdictOn(0x48, 0x54, 0x54, 0x50), 'malformed', 'no message');
  t.is(verdictOn(0x30, 0x80, 0x00, 0x00), 'malformed', 'the indefinite form (RFC 4511 §5.1)');
  t.is(verdictOn(0x30, 0x85, 0x00, 0x00), 'malformed', 'a length of five octets');
  t.is(verdictOn(0x30, 0x82, 0x01), '0 and 3 octets', 'a length that is still to come');
  t.is(verdictOn(0x30, 0x03, 0x1f, 0x01, 0x00), 'malformed', 'a tag that goes on');
  const deep = Array.from({ length: 40 }, (_, i) => [0x30, 78 - 2 * i]).flat();
  t.is(verdictOn(...deep), 'malformed', 'elements in elements without end');
});
