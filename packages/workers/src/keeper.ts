/** Keeps cached answers over a restart (SPEC 8.7): they are in a file, and go to the threads again when somebody asks about their destination. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Answer, type Emit, type Flush, type SavedAnswers, unpackAnswers } from '@callahead/core';
import { flushesAnswer } from './cache.ts';
import { type CacheFile, type Frame, frameOf } from './cache-file.ts';
import { type Destination, laneOf } from './destinations.ts';
import { cacheSettings } from './saved-answers.ts';

export type Keeper = Readonly<{
  /** Settles when what the file has is known. Never rejects. */
  load(): Promise<void>;
  /** Hands out what is known about a destination: the first part of it before anything that is told to its threads afterwards. */
  bring(destination: Destination): void;
  flush(what: Flush): void;
  /** Writes what the threads have, and what nobody asked for yet. One at a time; never rejects. */
  save(): Promise<void>;
}>;

export type KeeperOptions = Readonly<{
  path: string;
  file: CacheFile;
  now: () => number;
  /** Of the wall clock, which a restart does not turn back. */
  wallMs: () => number;
  emit: Emit;
  /** The next answers of all threads, from the beginning where `first`; nothing where there are no more. */
  dump: (first: boolean) => Promise<readonly Answer[]>;
  restore: (lane: number, destination: Destination, answers: SavedAnswers) => void;
}>;

/** So many flushes are remembered for answers that are still waiting; with more than that, those are forgotten. */
const MOST_FLUSHES = 1_000;

export function createKeeper({ path, file, now, wallMs, emit, dump, restore }: KeeperOptions): Keeper {
  const waiting = new Map<string, Frame[]>();
  /** What is in the file is not lost before it was read. */
  let isLoaded = false;
  /** What is on its way to the threads. */
  const handing = new Set<Promise<void>>();
  let flushes: Flush[] = [];
  /** Counts how often everything was forgotten. */
  let forgotten = 0;
  let saving: Promise<void> | null = null;

  async function load(): Promise<void> {
    const before = forgotten;
    const found = await file.read();
    isLoaded = true;
    if (found.kind === 'absent' || forgotten > before) return;
    if (found.kind === 'damaged') {
      emit({ event: 'cache.damaged', file: path, error: found.detail });
      return;
    }
    for (const frame of found.frames) {
      const frames = waiting.get(frame.destination);
      if (frames === undefined) waiting.set(frame.destination, [frame]);
      else frames.push(frame);
    }
    emit({ event: 'cache.loaded', file: path, destinations: waiting.size });
  }

  function bring(destination: Destination): void {
    if (waiting.size === 0) return;
    const frames = waiting.get(destination.route.key);
    if (frames === undefined) return;
    waiting.delete(destination.route.key);
    // It never rejects.
    const handed = hand(destination, frames).finally(() => handing.delete(handed));
    handing.add(handed);
  }

  async function hand(destination: Destination, frames: readonly Frame[]): Promise<void> {
    const before = forgotten;
    for (const [i, frame] of frames.entries()) {
      // A million answers at once would be felt by all sessions.
      if (i > 0) await nextTurn();
      if (forgotten > before) return;
      const answers = remaining(frame);
      if (answers === null) continue;
      const { profile, probe } = destination.route;
      if (answers.profile !== profile || answers.settings !== cacheSettings(probe)) continue;
      for (const lane of new Set(destination.lanes)) {
        const its = pick(answers, (j) => laneOf(destination, answers.recipients[j] ?? '') === lane);
        if (its.recipients.length > 0) restore(lane, destination, shifted(its, now() - wallMs()));
      }
    }
  }

  /** Less what was flushed. A clock that went back makes nothing younger than new. */
  function remaining(frame: Frame): SavedAnswers | null {
    const answers = answersIn(frame);
    if (answers === null) return null;
    const { destination, recipients, verdicts, storedAtMs, expiresAtMs } = answers;
    const aheadMs = storedAtMs.map((atMs) => Math.max(0, atMs - wallMs()));
    const kept = {
      ...answers,
      storedAtMs: storedAtMs.map((atMs, i) => atMs - (aheadMs[i] ?? 0)),
      expiresAtMs: expiresAtMs.map((atMs, i) => atMs - (aheadMs[i] ?? 0)),
    };
    if (flushes.length === 0) return kept;
    return pick(kept, (i) => {
      const verdict = verdicts[i];
      if (verdict === undefined) return false;
      return !flushes.some((what) => flushesAnswer(what, destination, recipients[i] ?? '', verdict));
    });
  }

  function flush(what: Flush): void {
    if (isLoaded && waiting.size + handing.size === 0) return;
    flushes.push(what);
    if (what.kind !== 'all' && flushes.length <= MOST_FLUSHES) return;
    waiting.clear();
    flushes = [];
    forgotten++;
  }

  function save(): Promise<void> {
    saving ??= write().finally(() => {
      saving = null;
    });
    return saving;
  }

  async function write(): Promise<void> {
    if (!isLoaded) return;
    await Promise.all(handing);
    let entries = 0;
    async function* frames(): AsyncGenerator<Frame> {
      for (let first = true; ; first = false) {
        const dumped = (await dump(first)).flatMap((answer) => (answer.kind === 'dumped' ? answer.answers : []));
        if (dumped.length === 0) break;
        for (const answers of dumped) {
          entries += answers.recipients.length;
          yield frameOf(shifted(answers, wallMs() - now()));
        }
      }
      for (const frame of [...waiting.values()].flat()) {
        const answers = remaining(frame);
        if (answers === null) continue;
        const fresh = pick(answers, (i) => (answers.expiresAtMs[i] ?? 0) > wallMs());
        if (fresh.recipients.length === 0) continue;
        entries += fresh.recipients.length;
        yield frameOf(fresh);
        await nextTurn();
      }
    }
    try {
      const octets = await file.write(frames());
      emit({ event: 'cache.saved', file: path, entries, octets });
    } catch (error) {
      emit({ event: 'cache.unsaved', file: path, error: error instanceof Error ? error.message : String(error) });
    }
  }

  return { load, bring, flush, save };
}

/** null: its checksum is right and its content is not ours. */
function answersIn({ answers }: Frame): SavedAnswers | null {
  try {
    const found = unpackAnswers(answers);
    return isTable(found) ? found : null;
  } catch {
    return null;
  }
}

/** What is unpacked may be anything. */
function isTable(found: Partial<SavedAnswers> | null | undefined): boolean {
  const columns = [found?.recipients, found?.verdicts, found?.storedAtMs, found?.expiresAtMs];
  return columns.every((column) => Array.isArray(column) && column.length === found?.recipients?.length);
}

/** Those that `wanted` says, by their place. */
function pick(answers: SavedAnswers, wanted: (i: number) => boolean): SavedAnswers {
  const its = <T>(column: readonly T[]): readonly T[] => column.filter((_, i) => wanted(i));
  return {
    ...answers,
    recipients: its(answers.recipients),
    verdicts: its(answers.verdicts),
    storedAtMs: its(answers.storedAtMs),
    expiresAtMs: its(answers.expiresAtMs),
  };
}

function shifted(answers: SavedAnswers, byMs: number): SavedAnswers {
  return {
    ...answers,
    storedAtMs: answers.storedAtMs.map((atMs) => atMs + byMs),
    expiresAtMs: answers.expiresAtMs.map((atMs) => atMs + byMs),
  };
}
