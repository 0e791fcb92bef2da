import test from 'ava';
import fc from 'fast-check';
import { createEventParser } from '../../../packages/admin/web/src/server-events.ts';

const STREAM =
  ': callahead\n\nevent: snapshot\ndata: {"a":1}\n\nevent: verdicts\r\ndata: {"b":\r\ndata: 2}\r\n\r\ndata: plain\n\n';
const EVENTS = [
  { event: 'snapshot', data: '{"a":1}' },
  { event: 'verdicts', data: '{"b":\n2}' },
  { event: 'message', data: 'plain' },
];

test('events come out whole, however the stream is cut', (t) => {
  fc.assert(
    fc.property(fc.array(fc.nat(STREAM.length - 1), { maxLength: 12 }), (cuts) => {
      const parse = createEventParser();
      const places = [0, ...cuts.sort((a, b) => a - b), STREAM.length];
      const events = places.slice(1).flatMap((end, i) => parse(STREAM.slice(places[i], end)));
      t.deepEqual(events, EVENTS);
    }),
  );
});

test('an event without an end is not kept for ever', (t) => {
  const parse = createEventParser();
  t.throws(() => {
    for (let i = 0; i < 20; i++) parse('x'.repeat(1_000_000));
  });
});
