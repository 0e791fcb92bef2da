import test from 'ava';
import fc from 'fast-check';
import { createWheel, type Spoke } from '../../packages/core/src/wheel.ts';

const TICK_MS = 10;

type Move =
  | Readonly<{ kind: 'add'; inMs: number }>
  | Readonly<{ kind: 'cancel'; which: number }>
  | Readonly<{ kind: 'pass'; ms: number }>;

const moves = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('add' as const), inMs: fc.double({ min: -50, max: 40_000, noNaN: true }) }),
    fc.record({ kind: fc.constant('cancel' as const), which: fc.nat(50) }),
    fc.record({ kind: fc.constant('pass' as const), ms: fc.double({ min: 0, max: 5_000, noNaN: true }) }),
  ),
  { maxLength: 80 },
);

test('a wheel does what a sorted list does, at most one tick late', (t) => {
  fc.assert(
    fc.property(moves, (script: readonly Move[]) => {
      const wheel = createWheel<number>(TICK_MS);
      const waiting = new Map<number, { dueMs: number; spoke: Spoke<number> }>();
      let nowMs = 1_000;
      let serial = 0;
      for (const move of script) {
        if (move.kind === 'add') {
          const deadlineMs = nowMs + move.inMs;
          const dueMs = Math.ceil(deadlineMs / TICK_MS) * TICK_MS;
          waiting.set(serial, { dueMs, spoke: wheel.add(deadlineMs, serial) });
          serial++;
        }
        if (move.kind === 'cancel') {
          const entry = waiting.get(move.which);
          if (entry !== undefined) t.true(wheel.cancel(entry.spoke));
          waiting.delete(move.which);
        }
        if (move.kind === 'pass') {
          nowMs += move.ms;
          const due = [...waiting]
            .filter(([, { dueMs }]) => dueMs <= Math.floor(nowMs / TICK_MS) * TICK_MS)
            .sort(([a, x], [b, y]) => x.dueMs - y.dueMs || a - b)
            .map(([item]) => item);
          t.deepEqual(wheel.expire(nowMs), due);
          for (const item of due) waiting.delete(item);
        }
        t.is(wheel.size(), waiting.size);
        t.is(wheel.nextMs(), waiting.size === 0 ? null : Math.min(...[...waiting.values()].map(({ dueMs }) => dueMs)));
      }
    }),
  );
});
