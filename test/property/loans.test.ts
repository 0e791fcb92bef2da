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
  | Readonly<{ kind: 'pass'; ms: number }>
  | Readonly<{ kind: 'reload'; maximum: number }>;

const thread = fc.nat(THREADS - 1);
const moves = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ kind: fc.constant('borrow' as const), thread }) },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('failed' as const), thread }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('closed' as const), thread }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('answered' as const, 'die' as const), thread }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(1_500) }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('reload' as const), maximum: fc.integer({ min: 1, max: 2 * MAXIMUM }) }),
    },
  ),
  { minLength: 20, maxLength: 150 },
);

/** `asked`: how many permits each thread waits for; `lentTo`: to whom permits went in this step, in order. */
type Seen = Readonly<{
  open: number;
  shut: boolean;
  modelShut: boolean;
  allowed: number;
  grew: boolean;
  asked: readonly number[];
  lentTo: readonly number[];
}>;

/**
 * The other end of the loans: what each thread holds, and the connections of dead threads that the system has not closed yet. Beside it the model
 * of the breaker, in the words of SPEC 8.5: shut after so many failures in a row once none is left that may still answer, for a second at most.
 */
function play(script: readonly Move[], check: (seen: Seen) => void) {
  let nowMs = 0;
  let streak = 0;
  let modelShut = false;
  let doubtUntilMs = Number.POSITIVE_INFINITY;
  let answeredMs = Number.NEGATIVE_INFINITY;
  let maximum = MAXIMUM;
  let generation = 1;
  const timers: { atMs: number; run: () => void }[] = [];
  const dying: { untilMs: number; permits: number }[] = [];
  const held = new Array<number>(THREADS).fill(0);
  const asked = new Array<number>(THREADS).fill(0);
  const lentTo: number[] = [];
  const loans = createLoans({
    now: () => nowMs,
    at: (atMs, run) => timers.push({ atMs, run }),
    emit() {},
    send(thread, message) {
      if (message.kind === 'lend') held[thread] = (held[thread] ?? 0) + 1;
      if (message.kind === 'lend') lentTo.push(thread);
      if (message.kind === 'lend' || message.kind === 'deny') asked[thread] = (asked[thread] ?? 0) - 1;
    },
  });
  const terms = { breaker: { failures: FAILURES, maxPauseMs: 4_000 } };
  loans.learn(routeTo([25], { ...terms, maxConnectionsPerServer: MAXIMUM }));

  function openNow(): number {
    return [...held, ...dying.map((one) => one.permits)].reduce((sum, permits) => sum + permits, 0);
  }

  function shut(): void {
    modelShut = true;
    streak = 0;
    doubtUntilMs = Number.POSITIVE_INFINITY;
  }

  function giveBack(thread: number, outcome: 'closed' | 'failed'): void {
    if (held[thread] === 0) return;
    held[thread] = (held[thread] ?? 0) - 1;
    const others = openNow();
    // It refuses more while it answers on others: then it has enough of them (SPEC 8.5 counts attempts without any reply).
    const answersOthers = streak < FAILURES && others > 0 && nowMs - answeredMs < 5_000;
    if (outcome === 'failed' && !modelShut && !answersOthers) {
      streak++;
      if (streak === FAILURES) doubtUntilMs = nowMs + 1_000;
    }
    if (streak >= FAILURES && others === 0) shut();
    loans.returned(thread, LOAN, outcome);
  }

  function answer(thread: number): void {
    if (held[thread] === 0) return;
    streak = 0;
    modelShut = false;
    doubtUntilMs = Number.POSITIVE_INFINITY;
    answeredMs = nowMs;
    loans.answered(LOAN);
  }

  function pass(ms: number): void {
    const untilMs = nowMs + ms;
    for (;;) {
      const next = timers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      timers.splice(timers.indexOf(next), 1);
      nowMs = Math.max(nowMs, next.atMs);
      bury();
      next.run();
    }
    nowMs = untilMs;
    bury();
    if (doubtUntilMs <= nowMs) shut();
  }

  function bury(): void {
    for (const one of dying.splice(0)) if (one.untilMs > nowMs) dying.push(one);
  }

  function reload(to: number): void {
    maximum = to;
    const probe = { ...routeTo([25], { ...terms, maxConnectionsPerServer: to }).probe };
    loans.renew(++generation, { corp: probe });
  }

  for (const move of script) {
    const before = openNow();
    if (move.kind === 'pass') pass(move.ms);
    if (move.kind === 'borrow') {
      asked[move.thread] = (asked[move.thread] ?? 0) + 1;
      loans.borrow(move.thread, LOAN);
    }
    if (move.kind === 'answered') answer(move.thread);
    if (move.kind === 'reload') reload(move.maximum);
    if (move.kind === 'closed' || move.kind === 'failed') giveBack(move.thread, move.kind);
    if (move.kind === 'die') {
      dying.push({ untilMs: nowMs + 250, permits: held[move.thread] ?? 0 });
      held[move.thread] = 0;
      asked[move.thread] = 0;
      loans.lost(move.thread);
    }
    const [report] = loans.report();
    const open = openNow();
    check({
      open,
      shut: report?.breaker !== 'closed',
      modelShut,
      allowed: maximum,
      grew: open > before,
      asked,
      lentTo: lentTo.splice(0),
    });
  }

  pass(1_000);
  for (let round = 0; round < 1_000; round++) {
    for (let thread = 0; thread < THREADS; thread++) giveBack(thread, 'closed');
  }
  return asked;
}

test('never one more connection than the maximum of the moment, whatever the order of events, deaths and reloads', (t) => {
  fc.assert(
    fc.property(moves, (script) => {
      play(script, ({ open, allowed, grew }) => {
        t.true(open <= 2 * MAXIMUM);
        if (grew) t.true(open <= allowed, `${open} of ${allowed}`);
      });
    }),
    { numRuns: 500 },
  );
});

test('the breaker is open when the model says so, after every step', (t) => {
  fc.assert(
    fc.property(moves, (script) => {
      play(script, ({ shut, modelShut }) => void t.is(shut, modelShut));
    }),
    { numRuns: 500 },
  );
});

test('every borrower is answered once, at the latest when all connections are back', (t) => {
  fc.assert(
    fc.property(moves, (script) => {
      for (const unanswered of play(script, () => {})) t.is(unanswered, 0);
    }),
  );
});

test('permits go to the threads that wait in turns: none gets a second one while another still waits for its first', (t) => {
  fc.assert(
    fc.property(moves, (script) => {
      /** How many went to others since a thread began to wait. */
      const passed = new Array<number>(THREADS).fill(0);
      play(script, ({ asked, lentTo }) => {
        for (const [thread, waiting] of asked.entries()) {
          const after = lentTo.length - 1 - lentTo.lastIndexOf(thread);
          passed[thread] = waiting === 0 ? 0 : (lentTo.includes(thread) ? 0 : (passed[thread] ?? 0)) + after;
          t.true((passed[thread] ?? 0) < THREADS, `${thread} was passed over ${passed[thread]} times`);
        }
      });
    }),
    { numRuns: 500 },
  );
});
