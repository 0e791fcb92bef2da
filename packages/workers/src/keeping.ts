/** The keeper as the main half has it: its questions go to all threads, what it brings goes to the lanes. */
import type { Emit } from '@callahead/core';
import { createCacheFile } from './cache-file.ts';
import { createKeeper, type Keeper } from './keeper.ts';
import type { Lane, Question } from './lane.ts';
import type { Questions } from './questions.ts';

/** A crash loses no more than what was learnt for so long. */
const SAVE_MS = 300_000;

type Parts = Readonly<{
  questions: Questions;
  lanes: readonly Pick<Lane<Question>, 'tell'>[];
  at: (deadlineMs: number, run: () => void) => void;
  now: () => number;
  emit: Emit;
}>;

/** null: nothing is kept. It saves now and then by itself. */
export function openKeeper(path: string | null, { questions, lanes, at, now, emit }: Parts): Keeper | null {
  if (path === null) return null;
  const keeper = createKeeper({
    path,
    file: createCacheFile(path),
    now,
    wallMs: () => Date.now(),
    emit,
    dump: (first) => questions.put({ kind: 'dump', first }),
    restore: (lane, destination, answers) =>
      lanes[lane]?.tell(destination, { kind: 'restore', destination: destination.number, answers }),
  });
  const saveLater = (): void => at(now() + SAVE_MS, () => void keeper.save().then(saveLater));
  saveLater();
  return keeper;
}
