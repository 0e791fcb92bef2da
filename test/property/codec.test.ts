import test from 'ava';
import fc from 'fast-check';
import { packToMain, packToWorker, unpackToMain, unpackToWorker } from '../../packages/core/src/codec.ts';
import type { ToMain, ToWorker } from '../../packages/core/src/message.ts';
import type { Cause, Source, Verdict } from '../../packages/core/src/verdict.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 60 });
const id = fc.nat(2 ** 40);
const source = fc.constantFrom<Source>('server', 'cache', 'shared', 'routing', 'delivery');
const server = fc.oneof(fc.constantFrom('ex1.corp.example:25', '[2001:db8::1]:25', ''), text);
const verdict: fc.Arbitrary<Verdict> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('valid' as const), source, server }) },
  fc.record({
    kind: fc.constantFrom('unknown' as const, 'refused' as const, 'temporary' as const),
    source,
    server,
    reply: fc.record({
      code: fc.integer({ min: 200, max: 599 }),
      enhanced: fc.option(fc.constantFrom('5.1.1', '4.2.2')),
      text,
    }),
    ref: text,
  }),
  fc.record({
    kind: fc.constant('failed' as const),
    source,
    server,
    cause: fc.constantFrom<Cause>('timeout', 'dns', 'connect', 'overload', 'loop'),
    detail: text,
    ref: text,
  }),
);
const verdicts: fc.Arbitrary<ToMain> = fc
  .array(fc.tuple(id, verdict), { maxLength: 300 })
  .map((rows) => ({ kind: 'verdicts', ids: rows.map(([one]) => one), verdicts: rows.map(([, one]) => one) }));
const toMain: fc.Arbitrary<ToMain> = fc.oneof(
  verdicts,
  fc.record({ kind: fc.constantFrom('borrow' as const, 'answered' as const), loan: text }),
  fc.record({
    kind: fc.constant('dialogue' as const),
    ref: text,
    recipient: text,
    server,
    lines: fc.array(text, { maxLength: 20 }),
  }),
  fc.record({
    kind: fc.constant('step' as const),
    id,
    step: fc.record({
      stage: text,
      atMs: fc.double({ noNaN: true, min: 0, max: 1e12 }),
      facts: fc.constant({ server: 'ex1' }),
    }),
  }),
);
const asks: fc.Arbitrary<ToWorker> = fc
  .array(fc.tuple(id, fc.nat(70_000), text, fc.double({ min: 0, max: 1e12, noNaN: true })), { maxLength: 2_000 })
  .map((rows) => ({
    kind: 'asks',
    ids: rows.map(([one]) => one),
    destinations: rows.map(([, one]) => one),
    recipients: rows.map(([, , one]) => one),
    deadlinesMs: rows.map(([, , , one]) => one),
    traced: rows.slice(0, 3).map(([one]) => one),
    fresh: rows.slice(1, 3).map(([one]) => one),
  }));
const toWorker: fc.Arbitrary<ToWorker> = fc.oneof(
  asks,
  fc.record({ kind: fc.constant('learn' as const), destination: id, recipient: text, verdict }),
  fc.record({ kind: fc.constant('lookup' as const), question: id, recipient: text }),
);

test('what a thread sends is what the main thread reads', (t) => {
  fc.assert(
    fc.property(fc.array(toMain, { maxLength: 6 }), (messages) => {
      t.deepEqual(unpackToMain(packToMain(messages)), messages);
    }),
  );
});

test('what the main thread sends is what a thread reads', (t) => {
  fc.assert(
    fc.property(fc.array(toWorker, { maxLength: 6 }), (messages) => {
      t.deepEqual(unpackToWorker(packToWorker(messages)), messages);
    }),
  );
});
