/** The main half: asks go out to the threads, a verdict for each comes back, by its deadline whatever happens. */
import { extname } from 'node:path';
import type { MessagePort } from 'node:worker_threads';
import type {
  CacheEntry,
  Emit,
  EngineReport,
  EngineSettings,
  Flush,
  Probe,
  Recipient,
  Route,
  ToWorker,
  Verdict,
} from '@callahead/core';
import { type Ask, overload, timeout } from './ask.ts';
import { createAsks, type Pending } from './asks.ts';
import { createDeadlines } from './deadlines.ts';
import { defaultThreads, throwAtProcess } from './defaults.ts';
import { createDestinations, type Destination, laneOf } from './destinations.ts';
import { createDraining } from './draining.ts';
import { openKeeper } from './keeping.ts';
import { createLane, type Lane, type Notice } from './lane.ts';
import { createLoans } from './loans.ts';
import { createQuestions } from './questions.ts';
import { createThreads } from './threads.ts';
import { createTallies } from './totals.ts';

const SWEEP_MS = 60_000;

export type Engine = {
  /** Settles when every thread has been up once, or the engine is over. Nobody has to wait for it: asks do, inside their time. */
  up(): Promise<void>;
  /** Never rejects; answers by the deadline. */
  validate(ask: Ask): Promise<Verdict>;
  /**
   * These are all profiles now, by name, of a configuration `generation` that is newer than every route so far: their destinations are asked by these
   * settings at once, and keep what is cached. Profiles that are none any more are forgotten with their destinations.
   */
  renew(generation: number, probes: Readonly<Record<string, Probe>>): void;
  /** Puts what a delivery found out into the cache of the route (SPEC 7.3, 7.6). */
  learn(route: Route, recipient: Recipient, verdict: Verdict): void;
  /** Forgets cached answers in all threads; returns how many. */
  flush(what: Flush): Promise<number>;
  /** What the caches hold about a recipient. */
  lookup(recipient: Recipient): Promise<readonly CacheEntry[]>;
  report(): Promise<EngineReport>;
  /** `maxPending` recipients are asked about: new sessions are told to come back later (SPEC 8.4). */
  full(): boolean;
  /** Lets the threads finish and say QUIT for so long, then ends them. What is not answered by then is failed `overload`. */
  close(drainMs: number): Promise<void>;
};

export type EngineOptions = Readonly<{
  settings?: Partial<EngineSettings>;
  emit?: Emit;
  /** The engine cannot keep its threads alive and has answered everything `overload`. Left out, the error is thrown at the process. */
  onFatal?: (error: Error) => void;
  now?: () => number;
  /** Where cached answers outlive this engine; left out or null, they do not. */
  cacheFile?: string | null;
  /** What runs in the threads, for tests. */
  threadFile?: URL;
}>;

/** Open: asks are taken. Draining: they are not, but threads still answer. Closed: nothing comes any more. */
type Phase = 'open' | 'draining' | 'closed';

export function createEngine(options: EngineOptions = {}): Engine {
  const { emit = () => {}, onFatal = throwAtProcess, now = () => performance.now() } = options;
  const settings = { threads: defaultThreads(), maxPending: 50_000, maxDestinations: 10_000, ...options.settings };
  // Packages run `.js`, the work tree runs `.ts`.
  const file = options.threadFile ?? new URL(`./thread${extname(import.meta.url)}`, import.meta.url);
  let phase: Phase = 'open';
  let closing: Promise<void> | null = null;

  const deadlines = createDeadlines<() => void>(now, (run) => run());
  const lanes: Lane<Pending>[] = Array.from({ length: settings.threads }, (_, thread) =>
    createLane<Pending>({
      later: setImmediate,
      onVerdict: (pending, verdict) => asks.settle(pending, verdict),
      onNotice: (notice) => hear(thread, notice),
    }),
  );
  const asleep = new Set(lanes.keys());
  const { promise: awake, resolve: wake } = Promise.withResolvers<void>();
  const send = (thread: number, message: ToWorker): boolean => lanes[thread]?.send(message) ?? false;
  const loans = createLoans({ now, at: deadlines.at, emit, send });
  const questions = createQuestions({ threads: settings.threads, send, now, at: deadlines.at });
  const draining = createDraining({ ask: askToDrain, at: deadlines.at });
  const asks = createAsks({ most: settings.maxPending, lanes, now });
  const destinations = createDestinations({
    threads: settings.threads,
    most: settings.maxDestinations,
    now,
    onRoute(route, old) {
      loans.learn(route);
      if (old !== null) loans.forget(old);
    },
    onForget(destination) {
      for (const lane of lanes) lane.forget(destination.number);
      loans.forget(destination.route);
    },
  });
  const tallies = createTallies({ routeOf: (number) => destinations.byNumber(number)?.route ?? null, now });
  const threads = createThreads({
    count: settings.threads,
    file,
    now,
    at: deadlines.at,
    onUp(thread: number, port: MessagePort) {
      lanes[thread]?.open(port);
      asleep.delete(thread);
      if (asleep.size === 0) wake();
    },
    onDown: lose,
    onFatal: fall,
  });
  const keeper = openKeeper(options.cacheFile ?? null, { questions, lanes, at: deadlines.at, now, emit });
  const loaded = keeper?.load();
  sweep();

  function find(route: Route): Destination | null {
    const destination = destinations.find(route);
    if (destination !== null) keeper?.bring(destination);
    return destination;
  }

  function validate(question: Ask): Promise<Verdict> {
    if (phase !== 'open') return Promise.resolve(overload('the engine is closed'));
    if (question.deadlineMs <= now()) return Promise.resolve(timeout());
    const destination = find(question.route);
    if (destination === null) return Promise.resolve(overload('too many destinations'));
    return asks.put(destination, question);
  }

  function hear(thread: number, notice: Notice): void {
    switch (notice.kind) {
      case 'borrow':
        loans.borrow(thread, notice.loan);
        return;
      case 'answered':
        loans.answered(notice.loan);
        return;
      case 'returned':
        loans.returned(thread, notice.loan, notice.outcome);
        return;
      case 'dialogue': {
        const { ref, recipient, server, lines } = notice;
        emit({ event: 'probe.dialogue', ref, recipient, server, lines });
        return;
      }
      case 'answer':
        questions.answered(thread, notice.question, notice.answer);
        return;
      case 'counts':
        tallies.add(thread, notice);
        return;
      case 'crash':
        emit({ event: 'actor.crashed', thread, destination: nameOf(notice.destination), error: notice.error });
        return;
      case 'drained':
        draining.left(thread);
        return;
      case 'beat':
    }
  }

  function nameOf(destination: number): string {
    return destinations.byNumber(destination)?.route.key ?? `destination ${destination}`;
  }

  /** A thread is dead: what it held is asked once more (SPEC 8.3). The lane keeps it until another thread is there. */
  function lose(thread: number, reason: string): void {
    const lost = lanes[thread]?.lose() ?? [];
    emit({ event: 'thread.replaced', thread, reason, outstanding: lost.length });
    loans.lost(thread);
    questions.lost(thread);
    tallies.lost(thread);
    draining.left(thread);
    for (const pending of lost) asks.lost(pending, phase === 'open');
  }

  /** No thread stays alive: nothing may wait for a silent, empty pool. */
  function fall(error: Error): void {
    phase = 'closed';
    abandon(`no thread stays alive: ${error.message}`);
    // Never rejects; the process is about to end, or the owner calls `close`.
    void threads.close();
    onFatal(error);
  }

  function abandon(detail: string): void {
    asks.end(overload(detail));
    questions.close();
    deadlines.close();
    wake();
    // The clock that would end a drain stands still.
    draining.giveUp();
  }

  function renew(generation: number, probes: Readonly<Record<string, Probe>>): void {
    if (phase !== 'open') return;
    destinations.renew(generation, probes);
    for (const lane of lanes) lane.send({ kind: 'profiles', generation, probes });
    loans.renew(generation, probes);
  }

  function learn(route: Route, recipient: Recipient, verdict: Verdict): void {
    const destination = phase === 'open' ? find(route) : null;
    if (destination === null) return;
    const lane = lanes[laneOf(destination, recipient.address)];
    lane?.tell(destination, {
      kind: 'learn',
      destination: destination.number,
      recipient: recipient.address,
      verdict,
    });
  }

  async function flush(what: Flush): Promise<number> {
    keeper?.flush(what);
    const answers = await questions.put({ kind: 'flush', what });
    return answers.reduce((sum, answer) => sum + (answer.kind === 'flushed' ? answer.entries : 0), 0);
  }

  async function lookup(recipient: Recipient): Promise<readonly CacheEntry[]> {
    const answers = await questions.put({ kind: 'lookup', recipient: recipient.address });
    return answers.flatMap((answer) => (answer.kind === 'found' ? answer.entries : []));
  }

  async function report(): Promise<EngineReport> {
    const answers = await questions.put({ kind: 'report' });
    return {
      asking: asks.held(),
      waiting: asks.waiting(),
      destinations: destinations.size(),
      threads: answers.flatMap((answer) => (answer.kind === 'report' ? [answer.report] : [])),
      loans: loans.report(),
      totals: tallies.totals(),
      vitals: tallies.vitals(),
    };
  }

  function sweep(): void {
    destinations.sweep();
    deadlines.at(now() + SWEEP_MS, sweep);
  }

  function close(drainMs: number): Promise<void> {
    closing ??= shutDown(drainMs);
    return closing;
  }

  async function shutDown(drainMs: number): Promise<void> {
    if (phase === 'open') await drain(drainMs);
    if (phase === 'draining') await keeper?.save();
    phase = 'closed';
    abandon('the gateway is stopping');
    await threads.close();
  }

  async function drain(drainMs: number): Promise<void> {
    phase = 'draining';
    asks.dismiss(overload('the gateway is stopping'));
    await draining.begin(now() + drainMs);
  }

  function* askToDrain(deadlineMs: number): Generator<number> {
    for (const [thread, lane] of lanes.entries()) {
      lane.flush();
      if (lane.send({ kind: 'drain', deadlineMs })) yield thread;
    }
  }

  return {
    up: async () => void (await Promise.all([awake, loaded])),
    validate,
    renew,
    learn,
    flush,
    lookup,
    report,
    full: () => phase !== 'open' || asks.full(),
    close,
  };
}
