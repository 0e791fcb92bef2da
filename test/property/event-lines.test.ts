import type { Event } from '@callahead/core';
import test from 'ava';
import fc from 'fast-check';
import { createFieldWriter } from '../../packages/cli/src/event-lines.ts';

/** Few values for each field, so that some stay what they were from one event to the next. */
const value = fc.constantFrom<unknown>('', 'a', 'b"c', 0, 1.5, true, null, undefined);
const fields = fc.array(fc.tuple(fc.constantFrom('p', 'q', 'r', 's', 't', 'u'), value), { maxLength: 6 });
const list = fc.array(fc.constantFrom('x', 'y'), { maxLength: 2 });
const event = fc
  .tuple(fc.constantFrom('one', 'two'), fields, list)
  .map(([name, written, names]) => ({ event: name, ...Object.fromEntries(written), names }) as unknown as Event);

test('whatever came before, an event is written as JSON writes it', (t) => {
  const compared = fc.property(fc.array(event, { minLength: 1, maxLength: 30 }), (events) => {
    const fieldsOf = createFieldWriter();
    for (const one of events) if (`{${fieldsOf(one).slice(1)}}` !== JSON.stringify(one)) return false;
    return true;
  });
  t.deepEqual(fc.check(compared, { numRuns: 2_000 }).counterexample, null);
});
