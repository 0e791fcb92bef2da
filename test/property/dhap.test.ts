/** Harvest protection counts exactly what a list of everything that ever happened would (SPEC 6.3). */
import type { Client, Event } from '@callahead/core';
import test from 'ava';
import fc from 'fast-check';
import { createHarvestCounter } from '../../packages/listener/src/dhap.ts';
import { clientWith } from '../support/harvest.ts';

const HOUR_MS = 3_600_000;

/** Addresses with the prefix of /24 and /64 that they are of. */
const ADDRESSES = [
  ['192.0.2.1', 'a'],
  ['192.0.2.2', 'a'],
  ['::ffff:192.0.2.3', 'a'],
  ['192.0.3.1', 'b'],
  ['2001:db8::1', 'c'],
  ['2001:db8::ffff:1', 'c'],
] as const;

const attempts = fc.array(
  fc.record({
    address: fc.constantFrom(...ADDRESSES),
    limit: fc.constantFrom(1, 3, 8),
    listener: fc.constantFrom('one', 'two'),
    // Often to the very edge of the window, and over it.
    passedMs: fc.oneof(fc.constantFrom(0, 1, HOUR_MS / 4, HOUR_MS - 1, HOUR_MS), fc.nat({ max: HOUR_MS / 3 })),
  }),
  { maxLength: 120 },
);

test('any attempts, over listeners, prefixes, limits and time, are blocked and counted as the model says', (t) => {
  fc.assert(
    fc.property(attempts, (asked) => {
      let nowMs = 1;
      const events: Event[] = [];
      const counter = createHarvestCounter({ emit: (event) => events.push(event), now: () => nowMs });
      const model: { prefix: string; atMs: number }[] = [];
      let crossings = 0;
      const held = (prefix: string): number =>
        model.filter((one) => one.prefix === prefix && one.atMs > nowMs - HOUR_MS).length;
      for (const { address, limit, listener, passedMs } of asked) {
        nowMs += passedMs;
        const [literal, prefix] = address;
        const client: Client = clientWith(limit, { address: literal, prefixV4: 24 });
        const blocked = held(prefix) >= limit;
        t.is(counter.blocks(client), blocked);
        if (blocked) continue;
        counter.count(client, listener, 'nobody@example.com');
        model.push({ prefix, atMs: nowMs });
        if (held(prefix) >= limit) crossings++;
        t.is(counter.blocks(client), held(prefix) >= limit);
      }
      t.is(events.length, crossings);
    }),
    { numRuns: 500 },
  );
});
