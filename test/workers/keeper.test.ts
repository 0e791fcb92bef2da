import { type Answer, type Event, packAnswers, type SavedAnswers, unpackAnswers, type Verdict } from '@callahead/core';
import test from 'ava';
import type { CacheFile, Frame, ReadCache } from '../../packages/workers/src/cache-file.ts';
import { frameOf } from '../../packages/workers/src/cache-file.ts';
import type { Destination } from '../../packages/workers/src/destinations.ts';
import { createKeeper } from '../../packages/workers/src/keeper.ts';
import { routeTo } from '../support/routes.ts';

const route = routeTo([25]);
const valid: Verdict = { kind: 'valid', source: 'cache', server: '127.0.0.1:25' };

function answersOf(recipients: readonly string[], over: Partial<SavedAnswers> = {}): SavedAnswers {
  return {
    profile: 'corp',
    destination: route.key,
    settings: 'false ',
    recipients,
    verdicts: recipients.map(() => valid),
    storedAtMs: recipients.map(() => 1_000_000),
    expiresAtMs: recipients.map(() => 1_900_000),
    ...over,
  };
}

const ANN = 'ann@x.example';
const BOB = 'bob@x.example';

/** A keeper at second 1,100 of the wall clock, 100 s after the answers of the file were stored; it runs for 1 s. */
function begin(frames: readonly Frame[], wallMs = 1_100_000) {
  const restored: (readonly [lane: number, answers: SavedAnswers])[] = [];
  const events: Event[] = [];
  const written: SavedAnswers[] = [];
  const dumps: (readonly SavedAnswers[])[] = [];
  const state: { found: ReadCache } = { found: { kind: 'read', frames } };
  const file: CacheFile = {
    read: () => Promise.resolve(state.found),
    async write(all) {
      for await (const { answers } of all) written.push(unpackAnswers(answers));
      return 1;
    },
  };
  const keeper = createKeeper({
    path: 'cache.bin',
    file,
    now: () => 1_000,
    wallMs: () => wallMs,
    emit: (event) => void events.push(event),
    dump: () => Promise.resolve([{ kind: 'dumped', answers: dumps.shift() ?? [] } satisfies Answer]),
    restore: (lane, _, answers) => void restored.push([lane, answers]),
  });
  return { keeper, restored, events, written, dumps, state };
}

function destination(over: Partial<Destination> = {}): Destination {
  return { number: 1, route, version: 0, lanes: [0], asking: 0, waiting: 0, usedMs: 0, ...over };
}

test('answers go to the thread that will be asked, once, with the time they have left', async (t) => {
  const { keeper, restored } = begin([frameOf(answersOf([ANN, BOB, 'eve@x.example', 'dan@x.example']))]);
  await keeper.load();
  keeper.bring(destination({ lanes: [0, 1] }));
  keeper.bring(destination({ lanes: [0, 1] }));
  t.deepEqual(restored.flatMap(([, { recipients }]) => recipients).toSorted(), [
    ANN,
    BOB,
    'dan@x.example',
    'eve@x.example',
  ]);
  for (const [, { storedAtMs, expiresAtMs }] of restored) {
    t.deepEqual([storedAtMs[0], expiresAtMs[0]], [-99_000, 801_000]);
  }
});

test('another destination, profile or meaning of replies gets none of them', async (t) => {
  for (const over of [{ destination: 'corp other:25' }, { profile: 'other' }, { settings: 'true ' }]) {
    const { keeper, restored } = begin([frameOf(answersOf([ANN], over))]);
    await keeper.load();
    keeper.bring(destination());
    t.deepEqual(restored, []);
  }
});

test('a clock that was set back makes nothing younger than new', async (t) => {
  const { keeper, restored } = begin([frameOf(answersOf([ANN]))], 500_000);
  await keeper.load();
  keeper.bring(destination());
  t.like(restored[0]?.[1], { storedAtMs: [1_000], expiresAtMs: [901_000] });
});

test('a flush reaches what waits to be restored, and what is written of it', async (t) => {
  const { keeper, restored, written } = begin([frameOf(answersOf([ANN, BOB]))]);
  await keeper.load();
  keeper.flush({ kind: 'recipient', value: ANN });
  await keeper.save();
  t.deepEqual(
    written.map(({ recipients }) => recipients),
    [[BOB]],
  );
  keeper.bring(destination());
  t.deepEqual(
    restored.map(([, { recipients }]) => recipients),
    [[BOB]],
  );
  const all = begin([frameOf(answersOf([ANN]))]);
  await all.keeper.load();
  all.keeper.flush({ kind: 'all' });
  all.keeper.bring(destination());
  t.deepEqual(all.restored, []);
});

test('what the threads have and what waits is written, by the wall clock, but not what is over', async (t) => {
  const over = frameOf(answersOf([BOB], { destination: 'corp other:25', expiresAtMs: [1_099_000] }));
  const { keeper, written, dumps, events } = begin([frameOf(answersOf([ANN])), over]);
  await keeper.load();
  dumps.push([answersOf(['eve@x.example'], { storedAtMs: [400], expiresAtMs: [5_000] })]);
  await keeper.save();
  t.deepEqual(
    written.map(({ recipients, expiresAtMs }) => [recipients, expiresAtMs]),
    [
      [['eve@x.example'], [1_104_000]],
      [[ANN], [1_900_000]],
    ],
  );
  t.like(events.at(-1), { event: 'cache.saved', entries: 2 });
});

test('what was not read yet is not overwritten; damage is told', async (t) => {
  const { keeper, written, events, state } = begin([]);
  await keeper.save();
  t.deepEqual([...written, ...events], []);
  state.found = { kind: 'damaged', detail: 'it has no end' };
  await keeper.load();
  t.deepEqual(events, [{ event: 'cache.damaged', file: 'cache.bin', error: 'it has no end' }]);
});

test('a frame whose content is not ours is passed over', async (t) => {
  const broken = { destination: route.key, answers: Buffer.from([0xc1]) };
  const { keeper, restored } = begin([broken, { destination: route.key, answers: packAnswers(answersOf([ANN])) }]);
  await keeper.load();
  keeper.bring(destination());
  await keeper.save();
  while (restored.length === 0) await new Promise(setImmediate);
  t.deepEqual(
    restored.map(([, { recipients }]) => recipients),
    [[ANN]],
  );
});

test('a flush reaches what is still on its way to the threads', async (t) => {
  for (const what of [{ kind: 'recipient', value: BOB }, { kind: 'all' }] as const) {
    const { keeper, restored } = begin([frameOf(answersOf([ANN])), frameOf(answersOf([BOB]))]);
    await keeper.load();
    keeper.bring(destination());
    keeper.flush(what);
    for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
    t.deepEqual(
      restored.map(([, { recipients }]) => recipients),
      [[ANN]],
    );
  }
});

test('a flush that comes while the file is read reaches what is in it', async (t) => {
  for (const what of [{ kind: 'recipient', value: BOB }, { kind: 'all' }] as const) {
    const { keeper, restored } = begin([frameOf(answersOf([BOB]))]);
    const loaded = keeper.load();
    keeper.flush(what);
    await loaded;
    keeper.bring(destination());
    t.deepEqual(restored, []);
  }
});

test('what is on its way to the threads is there before they are asked for what they have', async (t) => {
  const { keeper, restored, written } = begin([frameOf(answersOf([ANN])), frameOf(answersOf([BOB]))]);
  await keeper.load();
  keeper.bring(destination());
  const before = restored.length;
  await keeper.save();
  t.deepEqual([before, restored.length, written.length], [1, 2, 0]);
});
