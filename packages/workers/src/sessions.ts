/**
 * The sessions of one destination with one server. What a session is doing is the set it is in. A batch is what waits when the pump runs; it is spread
 * over the free sessions.
 */
import { type LoanOutcome, linger, type Probe, type Server } from '@callahead/core';
import { createAttempts } from './attempts.ts';
import type { Habits } from './habits.ts';
import type { NotOpen } from './not-open.ts';
import { type Connect, openServer } from './opening.ts';
import type { Borrower } from './permits.ts';
import { attemptDeadlineMs, type Outcome, type Query, serverLeftAlone, type Told } from './query.ts';
import { createSession, type Session } from './session.ts';

/** Runs work of an actor: what it throws, now or later, is the supervisor's. */
export type Supervise = (work: () => void | Promise<void>) => void;

export type Sessions = Borrower &
  Readonly<{
    /** Takes a query whose attempt at this server begins; `pump` must follow. Where too many wait already it ends at once. */
    add(query: Query): void;
    /** Gives what waits to the sessions that are free, and borrows permits for more. */
    pump(): void;
    /** Ends the attempts whose time is over and that no session has. */
    expire(): void;
    /** The breaker is open, and there is no session left from before. */
    leftAlone(): boolean;
    waiting(): number;
    /** Those who wait for a session, and those whom a session has asked about. */
    owed(): number;
    counts(): Readonly<{ connecting: number; idle: number; busy: number }>;
    /** `drain`: sessions that have no more to ask end with QUIT. `destroy`: all of them end at once. Settles when none is left. */
    stop(how: 'drain' | 'destroy'): Promise<void>;
  }>;

export type SessionsOptions = Readonly<{
  /** The server with its newest addresses, and the newest settings. */
  server: () => Server;
  probe: () => Probe;
  habits: Habits;
  connect: Connect;
  now: () => number;
  borrow: (borrower: Borrower) => void;
  giveBack: (borrower: Borrower, outcome: LoanOutcome) => void;
  answered: () => void;
  done: (query: Query, outcome: Outcome) => void;
  supervise: Supervise;
}>;

/** So many recipients make another connection worth its round trips. */
const RECIPIENTS_A_CONNECTION = 20;
/** So many recipients at most are given to a session at once, and leave in one write: what comes behind them may go to another one that is free. */
const MOST_TOGETHER = 100;
/** How long no other connection is tried after one failed while sessions are at work. */
const AVOID_MS = 1000;

export function createSessions(options: SessionsOptions): Sessions {
  const { probe, habits, now, supervise } = options;
  const connecting = new Set<symbol>();
  const idle = new Map<Session, NodeJS.Timeout>();
  const busy = new Set<Session>();
  /** Closed or about to be; their permits are still ours. */
  const leaving = new Set<Session | symbol>();
  const attempts = createAttempts(options);
  const { waiting, pace } = attempts;
  let borrowing = 0;
  let recalls = 0;
  let avoidUntilMs = 0;
  let deniedUntilMs = 0;
  let stopping: 'no' | 'drain' | 'destroy' = 'no';
  const { promise: empty, resolve: nowEmpty } = Promise.withResolvers<void>();

  function pump(): void {
    if (stopping === 'destroy') return;
    for (const session of idle.keys()) if (session.room() === 0) leave(session);
    assignParticular();
    assignOthers();
    seek();
    for (const session of idle.keys()) if (stopping === 'drain' || recalls > 0) leave(session);
    pace.queued(waiting.any());
    checkEmpty();
  }

  function assignParticular(): void {
    for (const session of [...idle.keys()].filter((session) => session.fresh())) {
      const batch = waiting.nextParticular(Math.min(mostTogether(), session.room()));
      if (batch.length === 0) return;
      serve(session, batch);
    }
  }

  function assignOthers(): void {
    if (waiting.any() === 0) return;
    const share = Math.min(mostTogether(), Math.ceil(waiting.any() / (idle.size + connecting.size)));
    // The latest used one first, so that the others may go when they are not needed.
    for (const session of [...idle.keys()].reverse()) {
      const batch = waiting.next(Math.min(share, session.room()));
      if (batch.length === 0) return;
      serve(session, batch);
    }
  }

  /** A server that takes its time to reject gets one recipient at a time on a connection, and a connection for each that waits. */
  function mostTogether(): number {
    return habits.rejectsSlowly() ? 1 : MOST_TOGETHER;
  }

  function serve(session: Session, batch: readonly Query[]): void {
    clearTimeout(idle.get(session));
    idle.delete(session);
    busy.add(session);
    const sinceMs = now();
    supervise(async () => {
      await session.ask(batch, told);
      if (!busy.delete(session)) return;
      rest(session, now() - sinceMs);
      pump();
    });
  }

  function told(query: Query, what: Told): void {
    if (stopping !== 'destroy') attempts.told(query, what);
  }

  /** A session after its batch: kept for the next one, unless it must go or somebody else waits for its permit. */
  function rest(session: Session, tookMs: number): void {
    if (session.room() === 0 || recalls > 0) {
      leave(session);
      return;
    }
    pace.served(tookMs);
    keep(session);
  }

  function keep(session: Session): void {
    if (stopping === 'destroy') {
      leave(session);
      return;
    }
    idle.set(
      session,
      setTimeout(() => supervise(() => leave(session)), probe().sessionIdleMs),
    );
  }

  function leave(session: Session, outcome: 'closed' | 'idle' = 'closed'): void {
    clearTimeout(idle.get(session));
    idle.delete(session);
    busy.delete(session);
    leaving.add(session);
    recalls = Math.max(0, recalls - 1);
    supervise(async () => {
      await (stopping === 'destroy' ? session.destroy() : session.quit());
      await linger();
      free(session, session.failed() ? 'failed' : outcome);
    });
  }

  /** A connection is closed: its permit goes back. */
  function free(place: Session | symbol, outcome: LoanOutcome): void {
    leaving.delete(place);
    options.giveBack(sessions, outcome);
    if (stopping === 'destroy') checkEmpty();
    else pump();
  }

  /** Borrows permits for what still waits. */
  function seek(): void {
    const wanted = waiting.connections(Math.min(mostTogether(), RECIPIENTS_A_CONNECTION)) - borrowing - connecting.size;
    if (wanted <= 0) return;
    if (now() < deniedUntilMs) {
      giveUp(serverLeftAlone);
      return;
    }
    if (now() < avoidUntilMs && idle.size + busy.size > 0 && waiting.particular() === 0) return;
    const out = connecting.size + idle.size + busy.size + leaving.size;
    const room = probe().maxConnectionsPerServer - out - borrowing;
    const [longestIdle] = idle.keys();
    if (room <= 0 && leaving.size === 0 && longestIdle !== undefined) leave(longestIdle);
    for (let i = 0; i < Math.min(wanted, room); i++) {
      borrowing++;
      options.borrow(sessions);
    }
  }

  function lend(): void {
    borrowing--;
    const place = Symbol('connection');
    if (stopping === 'destroy' || isNobodyWaiting()) {
      options.giveBack(sessions, 'closed');
      checkEmpty();
      return;
    }
    connecting.add(place);
    supervise(() => open(place));
  }

  async function open(place: symbol): Promise<void> {
    const settings = probe();
    const latest = Math.max(now(), waiting.latestMs());
    const { connect } = options;
    const opening = openServer({ server: options.server(), probe: settings, habits, deadlineMs: latest, connect, now });
    // A broken program must not keep the permit.
    void opening.catch(() => {
      connecting.delete(place);
      free(place, 'failed');
    });
    const opened = await opening;
    connecting.delete(place);
    if (opened.kind !== 'open') {
      await fail(place, opened, latest);
      return;
    }
    const current = (): boolean => probe() === settings;
    const session = createSession({ opened, probe: settings, current, habits, now, answered: options.answered });
    supervise(async () => {
      await session.closed;
      if (idle.has(session)) leave(session);
    });
    keep(session);
    pump();
  }

  async function fail(place: symbol, trouble: NotOpen, deadlineMs: number): Promise<void> {
    leaving.add(place);
    avoidUntilMs = now() + AVOID_MS;
    // Where our own deadline ended it, the server may still have answered those who came later and have more time.
    const ranOut = trouble.kind === 'failed' && trouble.cause === 'timeout' && now() > deadlineMs - 1;
    const later = ranOut ? waiting.take((query) => attemptDeadlineMs(query) > deadlineMs) : [];
    giveUp(trouble.kind === 'temporary' ? { kind: 'temporary', reply: trouble.reply } : trouble, trouble.lines);
    for (const query of later) waiting.add(query);
    await trouble.gone;
    // A server that is us, or cannot be reached from where we must come, has not failed: it was not asked (SPEC 5.7, 5.8).
    const isSkipped = trouble.kind === 'failed' && (trouble.cause === 'loop' || trouble.cause === 'no-route');
    free(place, isSkipped ? 'closed' : 'failed');
  }

  /** Lets those go that no session, present or coming, will serve. */
  function giveUp(outcome: Outcome, lines: readonly string[] = []): void {
    if (connecting.size > 0) return;
    const isServed = ({ manner }: Query): boolean => manner.kind === 'any' && idle.size + busy.size > 0;
    attempts.giveUp(isServed, outcome, lines);
  }

  function expire(): void {
    const isDialing = connecting.size > 0 && idle.size + busy.size === 0;
    if (attempts.expire(isDialing ? 'dialing' : 'conversation')) pump();
  }

  async function stop(how: 'drain' | 'destroy'): Promise<void> {
    stopping = how;
    for (const session of idle.keys()) leave(session);
    if (how === 'destroy') {
      attempts.forget();
      for (const session of busy) leave(session);
      // Those that wait for the answer to their QUIT.
      for (const session of leaving) if (typeof session !== 'symbol') void session.destroy();
    }
    checkEmpty();
    await empty;
  }

  function checkEmpty(): void {
    if (stopping === 'no' || !isNobodyWaiting()) return;
    if (connecting.size + idle.size + busy.size + leaving.size === 0) nowEmpty();
  }

  function isNobodyWaiting(): boolean {
    return waiting.any() + waiting.particular() === 0;
  }

  const sessions: Sessions = {
    add: attempts.add,
    pump,
    lend,
    deny(untilMs) {
      borrowing--;
      deniedUntilMs = untilMs;
      pump();
    },
    closeIdle() {
      const [longest] = idle.keys();
      if (longest !== undefined) leave(longest, 'idle');
      return longest !== undefined;
    },
    closeNext() {
      recalls = Math.min(recalls + 1, busy.size + connecting.size);
    },
    expire,
    leftAlone: () => now() < deniedUntilMs && connecting.size + idle.size + busy.size === 0,
    owed: attempts.owed,
    waiting: attempts.unasked,
    counts: () => ({ connecting: connecting.size, idle: idle.size, busy: busy.size }),
    stop,
  };
  return sessions;
}
