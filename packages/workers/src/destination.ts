/**
 * The actor: one shard of one destination. It answers from the cache, shares one probe among those who ask the same (SPEC 3.5), and walks each probe
 * through the servers until one says something definite (SPEC 4.6) or its time is over (SPEC 4.7).
 */
import {
  type DestinationReport,
  failed,
  type Route,
  type Server,
  serverName,
  type ToMain,
  type Verdict,
} from '@callahead/core';
import { createAlarm } from './alarm.ts';
import type { VerdictCache } from './cache.ts';
import { reportOf } from './destination-report.ts';
import type { Habits } from './habits.ts';
import { createMemory } from './memory.ts';
import type { Connect } from './opening.ts';
import type { Permits } from './permits.ts';
import { createPools } from './pools.ts';
import {
  attemptDeadlineMs,
  factsOf,
  note,
  type Outcome,
  type Query,
  startQuery,
  timedOut,
  verdictOf,
  type Waiter,
} from './query.ts';
import { createRefreshes } from './refreshes.ts';
import type { Supervise } from './sessions.ts';
import type { Tally } from './tally.ts';
import { createTraces } from './traces.ts';
import { freestFirst } from './walk.ts';

export type ToDestination =
  | (Readonly<{ kind: 'ask'; recipient: string }> & Waiter)
  /** The packet's last item has been handed over: what was asked is one batch. */
  | Readonly<{ kind: 'pump' }>
  | Readonly<{ kind: 'route'; route: Route }>
  | Readonly<{ kind: 'learn'; recipient: string; verdict: Verdict }>;

export type Destination = Readonly<{
  receive(message: ToDestination): void;
  report(): DestinationReport;
  /** Those who wait for an answer. */
  outstanding(): readonly Readonly<{ recipient: string; waiter: Waiter }>[];
  /** `drain`: sessions end as soon as nobody waits for them. `destroy`: at once, and it answers nobody any more. Settles when none is left. */
  stop(how: 'drain' | 'destroy'): Promise<void>;
}>;

export type DestinationOptions = Readonly<{
  route: Route;
  cache: VerdictCache;
  habits: (loan: string) => Habits;
  permits: Permits;
  connect: Connect;
  now: () => number;
  random: () => number;
  post: (message: ToMain) => void;
  answer: (id: number, verdict: Verdict) => void;
  tally: Pick<Tally, 'probe' | 'refresh' | 'stale'>;
  supervise: Supervise;
}>;

/** The main half's credits keep it far below; this bounds the memory if they did not. */
const MOST_WAITING = 100_000;
/** Servers that cannot be connected to are all tried again after this time (SPEC 8.5). */
const WALK_AGAIN_MS = 1000;
/** A verdict must be on its way a little before its waiter's deadline, when the main half answers by itself. */
const HEAD_START_MS = 50;
const HEAD_START_SHARE = 0.02;
/** Deadlines are looked after this much late, so that a session's own clock comes first and can say what it waited for. */
const SWEEP_LATE_MS = 5;

export function createDestination(options: DestinationOptions): Destination {
  const { now, random, post, answer, supervise, tally } = options;
  let { route } = options;
  const inFlight = new Map<string, Query>();
  const all = new Set<Query>();
  const arrived: Query[] = [];
  let step = 0;
  let waiting = 0;
  let destroyed = false;
  let idle = (): void => {};
  const pools = createPools({ ...options, route: () => route, done: decide });
  const memory = createMemory({ route: () => route, cache: options.cache, tally, now });
  const refreshes = createRefreshes(now, tally);
  const traces = createTraces(options);
  const alarm = createAlarm(now, SWEEP_LATE_MS, () => supervise(sweep));

  function receive(message: ToDestination): void {
    switch (message.kind) {
      case 'ask':
        ask(message.recipient, { ...message, deadlineMs: leaveInTime(message.deadlineMs) });
        return;
      case 'pump':
        begin();
        return;
      case 'route':
        if (message.route.generation >= route.generation) adopt(message.route);
        return;
      case 'learn':
        memory.learn(message.recipient, message.verdict);
    }
  }

  function adopt(newer: Route): void {
    route = newer;
    // Idle sessions that began with other settings go.
    for (const pool of pools.all().values()) pool.pump();
  }

  function leaveInTime(deadlineMs: number): number {
    return deadlineMs - Math.min(HEAD_START_MS, Math.max(0, deadlineMs - now()) * HEAD_START_SHARE);
  }

  function ask(recipient: string, waiter: Waiter): void {
    const known = waiter.fresh ? null : memory.recall(recipient);
    if (known !== null) {
      const { verdict } = known;
      traces.step([waiter], 'cache', { kind: verdict.kind, server: verdict.server });
      answer(waiter.id, verdict);
      if (memory.ages(known)) refresh(recipient, waiter.deadlineMs);
      return;
    }
    if (waiting >= MOST_WAITING) {
      answer(waiter.id, failed('overload', 'too many recipients wait for this destination', 'server', '', newRef()));
      return;
    }
    waiting++;
    const key = memory.questionOf(recipient);
    const query = waiter.fresh ? undefined : inFlight.get(key);
    // A flush parts those who ask after it from a probe that began before it.
    if (query !== undefined && query.generation === memory.generation()) {
      query.waiters.push(waiter);
      query.deadlineMs = Math.max(query.deadlineMs, waiter.deadlineMs);
    } else start(key, recipient, waiter.deadlineMs, waiter);
    alarm.by(waiter.deadlineMs);
  }

  function refresh(recipient: string, deadlineMs: number): void {
    const key = memory.questionOf(recipient);
    if (inFlight.has(key) || !refreshes.begin()) return;
    start(key, recipient, deadlineMs, null);
    alarm.by(deadlineMs);
  }

  function start(key: string, recipient: string, deadlineMs: number, waiter: Waiter | null): void {
    const generation = memory.generation();
    const query = startQuery({ key, recipient, deadlineMs, waiter, generation, ref: newRef(), nowMs: now() });
    if (!query.fresh) inFlight.set(key, query);
    all.add(query);
    arrived.push(query);
  }

  /** A new batch takes the next step of the rotation. */
  function begin(): void {
    if (arrived.length > 0) walk(arrived.splice(0));
    pools.pump();
  }

  function walk(queries: readonly Query[]): void {
    const free = (server: Server): boolean => !pools.of(server).leftAlone();
    const order = freestFirst(route, step++, random, (server) => pools.of(server).owed()).filter(free);
    for (const query of queries) {
      query.walkStartedMs = now();
      query.untried = order;
      query.failures = [];
      advance(query);
    }
  }

  /** Takes the query to its next server, or to its end. */
  function advance(query: Query): void {
    const [next, ...untried] = query.untried;
    if (next === undefined || query.deadlineMs <= now()) {
      // Its time was over before any server was asked.
      if (next !== undefined && query.failures.length === 0) query.failures.push({ ...timedOut, server: '' });
      conclude(query);
      return;
    }
    query.untried = untried;
    query.manner = { kind: 'any' };
    query.at = {
      kind: 'server',
      attempt: { server: serverName(next), startedMs: now(), shares: untried.length + 1 },
    };
    alarm.by(attemptDeadlineMs(query));
    pools.give(query, next);
  }

  /** A server has said what it had to say about the recipient. */
  function decide(query: Query, server: string, outcome: Outcome): void {
    if (destroyed || !all.has(query)) return;
    tally.probe(query, server, outcome.kind);
    traces.step(query.waiters, 'server', { server, ...factsOf(outcome) });
    switch (outcome.kind) {
      case 'valid':
        finish(query, { kind: 'valid', source: 'server', server });
        return;
      case 'unknown':
      case 'refused':
        finish(query, { kind: outcome.kind, source: 'server', server, reply: outcome.reply, ref: query.ref });
        return;
      case 'temporary':
        query.temporary ??= { server, reply: outcome.reply };
        advance(query);
        return;
      case 'failed':
        query.failures.push({ ...outcome, server });
        advance(query);
    }
  }

  /** No server is left untried. */
  function conclude(query: Query): void {
    const againMs = Math.max(now(), query.walkStartedMs + WALK_AGAIN_MS);
    const undialed = query.failures.length > 0 && query.failures.every((failure) => failure.during === 'dialing');
    const isOpen = [...pools.all().values()].some((pool) => pool.leftAlone());
    if (query.temporary === null && undialed && !isOpen && againMs < query.deadlineMs) {
      query.at = { kind: 'parked', untilMs: againMs };
      alarm.by(againMs);
      return;
    }
    finish(query, verdictOf(query));
  }

  function finish(query: Query, verdict: Verdict): void {
    all.delete(query);
    if (inFlight.get(query.key) === query) inFlight.delete(query.key);
    if (query.refreshes) refreshes.ended(verdict);
    const forMs = memory.keep(query, verdict);
    if (verdict.kind !== 'valid') tell(query, verdict, verdict.ref);
    traces.end(query, verdict.kind, forMs);
    for (const { id, fresh } of query.waiters) answer(id, fresh ? verdict : memory.orStale(query.recipient, verdict));
    waiting -= query.waiters.length;
    query.waiters = [];
    if (all.size === 0) idle();
  }

  function tell(query: Query, verdict: Exclude<Verdict, { kind: 'valid' }>, ref: string): void {
    // Of thousands a second who find no room none has been spoken of.
    if (ref === '') return;
    if (verdict.kind === 'failed') note(query, [`-- ${verdict.detail}`]);
    post({ kind: 'dialogue', ref, recipient: query.recipient, server: verdict.server, lines: [...query.dialogue] });
  }

  /** Ends what is over, wakes what is parked. */
  function sweep(): void {
    for (const pool of pools.all().values()) pool.expire();
    for (const query of all) if (query.deadlineMs <= now()) runOut(query);
    const woken = [...all].filter(({ at }) => at.kind === 'parked' && at.untilMs <= now());
    if (woken.length > 0) walk(woken);
    pools.pump();
    let dueMs = Number.POSITIVE_INFINITY;
    for (const query of all) {
      dropLate(query);
      const { at } = query;
      dueMs = Math.min(dueMs, at.kind === 'parked' ? at.untilMs : attemptDeadlineMs(query));
      for (const { deadlineMs } of query.waiters) dueMs = Math.min(dueMs, deadlineMs);
    }
    alarm.by(dueMs);
  }

  function runOut(query: Query): void {
    if (query.at.kind === 'server') {
      const { server } = query.at.attempt;
      traces.step(query.waiters, 'server', { server, ...factsOf(timedOut) });
      query.failures.push({ ...timedOut, server });
    }
    finish(query, verdictOf(query));
  }

  /** A waiter whose time is over is answered; the probe goes on for the later ones. */
  function dropLate(query: Query): void {
    const late = query.waiters.filter(({ deadlineMs }) => deadlineMs <= now());
    if (late.length === 0) return;
    query.waiters = query.waiters.filter(({ deadlineMs }) => deadlineMs > now());
    waiting -= late.length;
    const ref = newRef();
    const verdict = failed('timeout', timedOut.detail, 'server', '', ref);
    if (verdict.kind === 'failed') tell(query, verdict, ref);
    for (const { id, fresh } of late) answer(id, fresh ? verdict : memory.orStale(query.recipient, verdict));
  }

  function newRef(): string {
    return random().toString(36).slice(2, 10).padEnd(8, '0');
  }

  async function stop(how: 'drain' | 'destroy'): Promise<void> {
    if (how === 'drain' && all.size > 0) {
      await new Promise<void>((resolve) => {
        idle = resolve;
      });
    }
    if (how === 'destroy' || destroyed) end();
    await Promise.all([...pools.all().values()].map((pool) => pool.stop(destroyed ? 'destroy' : 'drain')));
  }

  function end(): void {
    destroyed = true;
    alarm.stop();
    all.clear();
    idle();
  }

  return {
    receive,
    report: () => reportOf(route.key, all, pools.all()),
    outstanding: () =>
      [...all].flatMap((query) => query.waiters.map((waiter) => ({ recipient: query.recipient, waiter }))),
    stop,
  };
}
