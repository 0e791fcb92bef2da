import test from 'ava';
import fc from 'fast-check';
import { createLoans } from '../../packages/workers/src/loans.ts';
import { routeTo } from '../support/routes.ts';

const LOAN = 'corp 127.0.0.1:25';
const THREADS = 3;
const MAXIMUM = 4;
const FAILURES = 3;

type Move =
  | Readonly<{ kind: 'borrow' | 'answered' | 'closed' | 'failed' | 'die'; thread: number }>
  | Readonly<{ kind: 'pass'; ms: number }>;

const thread = fc.nat(THREADS - 1);
const moves = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ kind: fc.constant('borrow' as const), thread }) },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('failed' as const), thread }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('closed' as const), thread }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('answered' as const, 'die' as const), thread }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(1_500) }) },
  ),
  { minLength: 20, maxLength: 150 },
);

/** The other end of the loans: what each thread holds, and the connections of dead threads that the system has not closed yet. */
function play(script: readonly Move[], check: (state: { open: number; opened: boolean; streak: number }) => void) {
  let nowMs = 0;
  let streak = 0;
  let opened = false;
  let answeredMs = Number.NEGATIVE_INFINITY;
  const timers: { atMs: number; run: () => void }[] = [];
  const dying: { untilMs: number; permits: number }[] = [];
  const held = new Array<number>(THREADS).fill(0);
  const asked = new Array<number>(THREADS).fill(0);
  const loans = createLoans({
    now: () => nowMs,
    at: (atMs, run) => timers.push({ atMs, run }),
    emit: (event) => {
      opened = event.event === 'breaker.opened';
    },
    send(thread, message) {
      if (message.kind === 'lend') held[thread] = (held[thread] ?? 0) + 1;
      if (message.kind === 'lend' || message.kind === 'deny') asked[thread] = (asked[thread] ?? 0) - 1;
    },
  });
  loans.learn(routeTo([25], { maxConnectionsPerServer: MAXIMUM, breaker: { failures: FAILURES, maxPauseMs: 4_000 } }));

  function openNow(): number {
    return [...held, ...dying.map((one) => one.permits)].reduce((sum, permits) => sum + permits, 0);
  }

  function giveBack(thread: number, outcome: 'closed' | 'failed'): void {
    if (held[thread] === 0) return;
    held[thread] = (held[thread] ?? 0) - 1;
    // It refuses more while it answers on others: then it has enough of them (SPEC 8.5 counts attempts without any reply).
    const answersOthers = openNow() > 0 && nowMs - answeredMs < 5_000;
    if (outcome === 'failed' && !opened && !answersOthers) streak++;
    loans.returned(thread, LOAN, outcome);
  }

  function pass(ms: number): void {
    nowMs += ms;
    for (const one of dying.splice(0)) if (one.untilMs > nowMs) dying.push(one);
    for (const timer of timers.splice(0)) {
      if (timer.atMs <= nowMs) timer.run();
      else timers.push(timer);
    }
  }

  for (const move of script) {
    if (move.kind === 'pass') pass(move.ms);
    if (move.kind === 'borrow') {
      asked[move.thread] = (asked[move.thread] ?? 0) + 1;
      loans.borrow(move.thread, LOAN);
    }
    if (move.kind === 'answered' && held[move.thread] !== 0) {
      streak = 0;
      answeredMs = nowMs;
      loans.answered(LOAN);
    }
    if (move.kind === 'closed' || move.kind === 'failed') giveBack(move.thread, move.kind);
    if (move.kind === 'die') {
      dying.push({ untilMs: nowMs + 250, permits: held[move.thread] ?? 0 });
      held[move.thread] = 0;
      asked[move.thread] = 0;
      loans.lost(move.thread);
    }
    check({ open: openNow(), opened, streak });
  }

  pass(1_000);
  for (let round = 0; round < 1_000; round++) {
    for (let thread = 0; thread < THREADS; thread++) giveBack(thread, 'closed');
  }
  return asked;
}

test('never more connections than the maximum, whatever the order of events', (t) => {
  fc.assert(fc.property(moves, (script) => void play(script, ({ open }) => t.true(open <= MAXIMUM))));
});

test('the breaker opens after so many failures in a row, never before', (t) => {
  fc.assert(
    fc.property(moves, (script) => {
      let before = false;
      play(script, ({ opened, streak }) => {
        if (opened && !before) t.true(streak >= FAILURES);
        if (streak >= FAILURES) t.true(opened || before);
        before = opened;
      });
    }),
  );
});

test('every borrower is answered once, at the latest when all connections are back', (t) => {
  fc.assert(
    fc.property(moves, (script) => {
      for (const unanswered of play(script, () => {})) t.is(unanswered, 0);
    }),
  );
});
