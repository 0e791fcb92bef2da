/** What every stage of routing keeps, whatever it asks: the deadline, a bound, its input, and a step for explain. */
import { isDeepStrictEqual } from 'node:util';
import type { Request, Routing, Step } from '@callahead/core';
import type { Hops, Stage } from '@callahead/routing';
import type { TestFn } from 'ava';

export type StageUnderTest = Readonly<{
  stage: Stage<Routing, Request>;
  /** Something that the stage has an opinion about, not in its memory yet. */
  at: Hops;
  request: Request;
  /** From now on what the stage asks does not answer. */
  silence(): void;
  /** Questions that the stage has put to others. */
  questions(): number;
  close(): Promise<void>;
}>;

const FLOOD = 1_000;
/** The most questions that one recipient may cost: MX, A and AAAA, each sent a few times. */
const QUESTIONS = 12;
const SHORT_MS = 150;
/** An event loop that is busy with other tests may be this late. */
const GRACE_MS = 1_000;

export function testStage(test: TestFn, name: string, open: () => Promise<StageUnderTest>): void {
  test(`${name}: the input of a stage is left as it was`, async (t) => {
    const { stage, at, request, close } = await open();
    t.teardown(close);
    const before = structuredClone(at);
    await stage(frozen(at), request);
    t.true(isDeepStrictEqual(at, before));
  });

  test(`${name}: a stage records what it found, fit to print`, async (t) => {
    const { stage, at, request, close } = await open();
    t.teardown(close);
    const steps: Step[] = [];
    await stage(at, { ...request, recorder: (step) => steps.push(step) });
    t.is(steps.length, 1);
    t.true(Object.values(steps[0]?.facts ?? {}).every((fact) => /^[ -~]*$/.test(fact)));
    t.true(Object.keys(steps[0]?.facts ?? {}).length > 0);
  });

  test.serial(`${name}: a stage answers by the deadline though nobody answers it`, async (t) => {
    const { stage, at, request, silence, close } = await open();
    t.teardown(close);
    silence();
    const before = performance.now();
    const result = await stage(at, { ...request, deadlineMs: before + SHORT_MS });
    t.true(performance.now() - before < SHORT_MS + GRACE_MS);
    t.true(result.kind === 'hops' || (result.kind === 'known' && result.verdict.kind === 'failed'));
  });

  test(`${name}: a flood of equal questions costs one answer`, async (t) => {
    const { stage, at, request, questions, silence, close } = await open();
    t.teardown(close);
    silence();
    const asking = { ...request, deadlineMs: performance.now() + SHORT_MS };
    const results = await Promise.all(Array.from({ length: FLOOD }, () => stage(at, asking)));
    t.is(results.length, FLOOD);
    t.true(questions() <= QUESTIONS, `${questions()} questions`);
  });
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) frozen(inner);
    Object.freeze(value);
  }
  return value;
}
