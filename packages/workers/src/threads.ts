/**
 * Threads under supervision. piscina hosts them: one `run` a thread that never ends, so its rejection is the news of a death, and its
 * AbortSignal the way to end a thread that hangs, even in an endless loop.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';

const BEAT_MS = 250;
/** A thread that says nothing for so long hangs (SPEC 8.3). */
const SILENCE_MS = 1_000;
/** Loading the code may take long on a busy machine. */
const START_MS = 10_000;
const FIRST_BACK_OFF_MS = 50;
const LONGEST_BACK_OFF_MS = 2_000;
/** More deaths of one thread within the window and the process is better started afresh than left with an empty pool. */
const MOST_DEATHS = 10;
const DEATHS_WINDOW_MS = 60_000;

type Phase = Readonly<{ kind: 'starting'; sinceMs: number }> | Readonly<{ kind: 'running'; seenMs: number }>;
type Life = { readonly port: MessagePort; readonly kill: AbortController; phase: Phase; reason: string | null };

/** What the thread file's `work` is given. */
export type Work = Readonly<{ port: MessagePort; threads: number; beatMs: number }>;

export type Threads = {
  /** Ends all threads, whatever they do. */
  close(): Promise<void>;
};

export type ThreadsOptions = Readonly<{
  count: number;
  /** Exports `work(Work): Promise<void>`, which does not settle before its port is closed. */
  file: URL;
  now: () => number;
  at: (deadlineMs: number, run: () => void) => void;
  /** The thread listens at the other end of the port. */
  onUp: (thread: number, port: MessagePort) => void;
  onDown: (thread: number, reason: string) => void;
  /** Threads die as fast as they are started; no more are. */
  onFatal: (error: Error) => void;
}>;

export function createThreads(options: ThreadsOptions): Threads {
  const { count, file, now, at, onUp, onDown, onFatal } = options;
  const lives: (Life | null)[] = new Array<Life | null>(count).fill(null);
  const deaths: number[][] = Array.from({ length: count }, () => []);
  let closed = false;
  let lookedMs = now();

  // The file is named with each run: piscina starts no more threads once one has failed to load the pool's own file.
  const pool = new Piscina({
    minThreads: count,
    maxThreads: count,
    maxQueue: count,
    concurrentTasksPerWorker: 1,
    atomics: 'disabled',
    idleTimeout: Number.POSITIVE_INFINITY,
    recordTiming: false,
  });
  // A thread that dies without work, for example while it is replaced: the next `run` gets another one.
  pool.on('error', () => {});

  function start(thread: number): void {
    if (closed) return;
    const { port1: port, port2 } = new MessageChannel();
    const life: Life = {
      port,
      kill: new AbortController(),
      phase: { kind: 'starting', sinceMs: now() },
      reason: null,
    };
    lives[thread] = life;
    port.on('message', () => live(thread, life));
    const work: Work = { port: port2, threads: count, beatMs: BEAT_MS };
    // Both ends are handled here, so nothing is left to await.
    void pool
      .run(work, { filename: file.href, name: 'work', transferList: [port2], signal: life.kill.signal })
      .then(
        () => 'its work ended',
        (error: unknown) => life.reason ?? (error instanceof Error ? error.message : String(error)),
      )
      .then((reason) => die(thread, life, reason));
  }

  /** Any packet is a sign of life; the first one says that the thread listens. */
  function live(thread: number, life: Life): void {
    const starting = life.phase.kind === 'starting';
    life.phase = { kind: 'running', seenMs: now() };
    if (starting && lives[thread] === life) onUp(thread, life.port);
  }

  function die(thread: number, life: Life, reason: string): void {
    if (closed || lives[thread] !== life) return;
    lives[thread] = null;
    life.port.close();
    const nowMs = now();
    // A thread that never came up has no time in which it did well: all its deaths count.
    const sinceMs = life.phase.kind === 'running' ? nowMs - DEATHS_WINDOW_MS : 0;
    const recent = [...(deaths[thread] ?? []), nowMs].filter((atMs) => atMs > sinceMs);
    deaths[thread] = recent;
    onDown(thread, reason);
    if (recent.length > MOST_DEATHS) {
      onFatal(new Error(`thread ${thread} died ${recent.length} times in a row, the last time: ${reason}`));
      return;
    }
    if (recent.length === 1) start(thread);
    else at(nowMs + backOffMs(recent.length), () => start(thread));
  }

  function look(): void {
    if (closed) return;
    const nowMs = now();
    // We stood still ourselves: what the threads said meanwhile is still to be read.
    const stalled = nowMs - lookedMs > 2 * BEAT_MS;
    lookedMs = nowMs;
    for (const life of lives) {
      if (life === null) continue;
      if (stalled && life.phase.kind === 'running') life.phase = { kind: 'running', seenMs: nowMs };
      if (isSilent(life.phase, nowMs)) end(life);
    }
    at(nowMs + BEAT_MS, look);
  }

  function end(life: Life): void {
    life.reason ??= life.phase.kind === 'starting' ? 'it did not start' : 'no heartbeat';
    life.kill.abort();
  }

  async function close(): Promise<void> {
    closed = true;
    for (const life of lives) life?.port.close();
    lives.fill(null);
    await pool.destroy();
  }

  for (let thread = 0; thread < count; thread++) start(thread);
  at(now() + BEAT_MS, look);
  return { close };
}

function isSilent(phase: Phase, nowMs: number): boolean {
  if (phase.kind === 'starting') return nowMs - phase.sinceMs > START_MS;
  return nowMs - phase.seenMs > SILENCE_MS;
}

/** The first death costs no pause. */
function backOffMs(deaths: number): number {
  return Math.min(LONGEST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** (deaths - 2));
}
