import test from 'ava';
import { load, startProgram } from '../../bench/support/children.ts';

/** Nobody listens there. */
const NOBODY = 1;
const BRIEF = { sessions: 2, recipients: 3, rampSeconds: 0, seconds: 1 };

test('the load generator counts what a server that accepts everybody answers, pipelined and serial', async (t) => {
  const sink = await startProgram('sink');
  t.teardown(sink.stop);
  for (const pipelined of [true, false]) {
    const result = await load({ ...BRIEF, port: sink.port, pipelined });
    t.true(result.accepted > 0);
    t.true(result.answered >= result.accepted);
    t.like(result, { deferred: 0, refused: 0, turnedAway: 0, broken: 0 });
    t.true(result.p50Ms <= result.p99Ms);
  }
});

test('the load generator counts sessions that a server breaks', async (t) => {
  const result = await load({ ...BRIEF, port: NOBODY });
  t.true(result.broken > 0);
  t.is(result.answered, 0);
});
