import test from 'ava';
import fc from 'fast-check';
import { createCredits } from '../../packages/workers/src/credits.ts';
import type { Destination } from '../../packages/workers/src/destinations.ts';
import { routeTo } from '../support/routes.ts';

const MOST = 8;
const SHARE = MOST / 4;
const DESTINATIONS = 6;

type Move = Readonly<{ kind: 'take' | 'release'; at: number }> | Readonly<{ kind: 'leave'; at: number; which: number }>;

const at = fc.nat(DESTINATIONS - 1);
const moves = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('take' as const), at }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('release' as const), at }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), at, which: fc.nat() }) },
  ),
  { minLength: 10, maxLength: 200 },
);

/** What a destination has by the model: credits that are out, and who waits, in their order. */
type Model = { asking: number; readonly waiting: number[] };

/** Plays it against the model. `each` is called after each move. */
function play(script: readonly Move[], each: (seen: ReturnType<typeof setUp>, served: readonly number[]) => void) {
  const all = setUp();
  for (const move of script) {
    const destination = all.destinations[move.at];
    const model = all.models[move.at];
    if (destination === undefined || model === undefined) throw new Error('no such destination');
    all.served.length = 0;
    if (move.kind === 'take') all.take(destination, model);
    if (move.kind === 'release' && model.asking > 0) {
      model.asking--;
      all.credits.release(destination);
    }
    if (move.kind === 'leave' && model.waiting.length > 0) {
      const [gone = -1] = model.waiting.splice(move.which % model.waiting.length, 1);
      all.credits.leave(destination, gone);
    }
    each(all, all.served);
  }
  return all;
}

function setUp() {
  const destinations = Array.from({ length: DESTINATIONS }, (_, number): Destination => {
    return { number, route: routeTo([number]), version: 0, lanes: [0], asking: 0, waiting: 0, usedMs: 0 };
  });
  const models = destinations.map((): Model => ({ asking: 0, waiting: [] }));
  const served: number[] = [];
  /** Those who were passed over: to whom, and in which order, credits went that were given back. */
  const wrong: string[] = [];
  let serial = 0;
  const credits = createCredits<number>({
    most: MOST,
    grant({ number }, item) {
      const model = models[number];
      if (model?.waiting.shift() !== item) wrong.push(`${item} was not the next one of ${number}`);
      if (model !== undefined) model.asking++;
      served.push(number);
    },
  });

  function take(destination: Destination, model: Model): void {
    const item = serial++;
    const answer = credits.take(destination, item);
    if (answer === 'granted') model.asking++;
    if (answer === 'waiting') model.waiting.push(item);
    const isFree = out() < MOST && model.asking < SHARE;
    if (answer === 'refused' && isFree) wrong.push(`${item} was refused though there was room`);
  }

  function out(): number {
    return models.reduce((sum, { asking }) => sum + asking, 0);
  }

  function waiting(): number {
    return models.reduce((sum, model) => sum + model.waiting.length, 0);
  }

  return { credits, destinations, models, served, wrong, take, out, waiting };
}

test('credits: never more than there are, never more than a quarter for one, none idle while somebody may have it, each in his turn', (t) => {
  fc.assert(
    fc.property(moves, (script) => {
      play(script, ({ credits, destinations, models, wrong, out, waiting }) => {
        t.deepEqual(wrong, []);
        t.deepEqual([credits.held(), credits.waiting()], [out(), waiting()]);
        t.is(credits.full(), out() >= MOST);
        t.true(out() <= MOST && waiting() <= MOST);
        for (const [i, model] of models.entries()) {
          t.true(model.asking <= SHARE && model.waiting.length <= SHARE);
          t.deepEqual([destinations[i]?.asking, destinations[i]?.waiting], [model.asking, model.waiting.length]);
          if (out() < MOST && model.waiting.length > 0) t.is(model.asking, SHARE);
        }
      });
    }),
    { numRuns: 500 },
  );
});

test('credits go to the destinations that wait in turns: none is served twice while another one with room is not', (t) => {
  fc.assert(
    fc.property(moves, (script) => {
      /** How often others were served since somebody began to wait who might have been. */
      const passed = new Array<number>(DESTINATIONS).fill(0);
      play(script, ({ models }, served) => {
        for (const [i, model] of models.entries()) {
          const mayHave = model.waiting.length > 0 && model.asking < SHARE;
          if (served.includes(i) || !mayHave) passed[i] = 0;
          else passed[i] = (passed[i] ?? 0) + served.length;
          t.true((passed[i] ?? 0) < DESTINATIONS, `${i} was passed over ${passed[i]} times`);
        }
      });
    }),
    { numRuns: 500 },
  );
});

test('when all credits are back nobody waits, and all are dismissed who did', (t) => {
  fc.assert(
    fc.property(moves, (script) => {
      const { credits, destinations, models, out, waiting } = play(script, () => {});
      t.is(credits.dismiss().length, waiting());
      for (const model of models) model.waiting.length = 0;
      for (const [i, destination] of destinations.entries()) {
        for (const model = models[i]; model !== undefined && model.asking > 0; model.asking--)
          credits.release(destination);
      }
      t.deepEqual([credits.held(), credits.waiting(), out()], [0, 0, 0]);
      t.true(destinations.every(({ asking, waiting }) => asking === 0 && waiting === 0));
    }),
  );
});
