/** The thread's half of the engine: hands the messages of the main half to the actors, and supervises them. */
import {
  type Answer,
  type CacheEntry,
  type DestinationCounts,
  type Flush,
  failed,
  type Probe,
  type Route,
  type SavedAnswers,
  sameSettings,
  type ToMain,
  type ToWorker,
} from '@callahead/core';
import { createCache, type VerdictCache } from './cache.ts';
import { createDestination, type Destination } from './destination.ts';
import { createHabits } from './habits.ts';
import type { Connect } from './opening.ts';
import { createOutbox } from './outbox.ts';
import { createPermits } from './permits.ts';
import type { Waiter } from './query.ts';
import { createTally, type Tally } from './tally.ts';
import { threadReport } from './thread-report.ts';

export type HostOptions = Readonly<{
  post: (messages: readonly ToMain[]) => void;
  /** Of `performance.now()`, which has one origin in all threads. */
  now: () => number;
  connect: Connect;
  /** Threads of the engine: a cache has its share. */
  threads: number;
  random: () => number;
}>;

export type Host = Readonly<{
  receive(packet: readonly ToWorker[]): void;
  /** What was counted since the last time. */
  counts(): readonly DestinationCounts[];
  /** Ends everything at once. */
  close(): void;
}>;

type Actor = { readonly number: number; readonly tally: Tally; route: Route; destination: Destination };

export function createHost({ post, now, connect, threads, random }: HostOptions): Host {
  const outbox = createOutbox(post);
  const permits = createPermits(outbox.post);
  const habits = createHabits(now);
  const caches = new Map<string, VerdictCache>();
  const actors = new Map<number, Actor>();
  /** Connections of destinations that are no more. */
  const leaving = new Set<Promise<void>>();
  /** What is still to be dumped. */
  let dumping: Generator<readonly SavedAnswers[]>[] = [];
  /** The names of all profiles, once somebody said them. */
  let profiles: ReadonlySet<string> | null = null;

  function receive(packet: readonly ToWorker[]): void {
    for (const message of packet) handle(message);
  }

  function handle(message: ToWorker): void {
    switch (message.kind) {
      case 'destination':
        know(message.destination, message.route);
        return;
      case 'profiles':
        renew(message.generation, message.probes);
        return;
      case 'asks':
        ask(message);
        return;
      case 'learn': {
        const { recipient, verdict } = message;
        tell(actors.get(message.destination), { kind: 'learn', recipient, verdict });
        return;
      }
      case 'lend':
        permits.lend(message.loan);
        return;
      case 'deny':
        permits.deny(message.loan, message.untilMs);
        return;
      case 'recall':
        permits.recall(message.loan);
        return;
      case 'flush':
        void flush(message.what).then((entries) => answer(message.question, { kind: 'flushed', entries }));
        return;
      case 'lookup':
        void lookup(message.recipient).then((entries) => answer(message.question, { kind: 'found', entries }));
        return;
      case 'report':
        answer(message.question, { kind: 'report', report: report() });
        return;
      case 'dump':
        answer(message.question, { kind: 'dumped', answers: dump(message.first) });
        return;
      case 'restore':
        caches.get(message.answers.profile)?.restore(message.answers);
        return;
      case 'forget':
        forget(message.destination);
        return;
      case 'drain':
        void drain(message.deadlineMs);
    }
  }

  function know(number: number, route: Route): void {
    const actor = actors.get(number);
    if (actor !== undefined && actor.route.key === route.key) {
      change(actor, route);
      return;
    }
    if (actor !== undefined) forget(number);
    const tally = createTally(number, now);
    const created: Actor = {
      number,
      tally,
      route,
      destination: build(route, tally, (broken, error) => crash(created, broken, error)),
    };
    actors.set(number, created);
  }

  /** Settings that are equal stay the same object: by that sessions know that theirs still hold. */
  function change(actor: Actor, route: Route): void {
    const { probe, generation } = actor.route;
    if (route.generation < generation) return;
    actor.route = { ...route, probe: sameSettings(probe, route.probe) ? probe : route.probe };
    tell(actor, { kind: 'route', route: actor.route });
  }

  function renew(generation: number, probes: Readonly<Record<string, Probe>>): void {
    profiles = new Set(Object.keys(probes));
    for (const actor of actors.values()) {
      const probe = probes[actor.route.profile];
      if (probe !== undefined) change(actor, { ...actor.route, generation, probe });
    }
    for (const [profile, cache] of caches) {
      const probe = probes[profile];
      if (probe !== undefined) cache.renew(probe);
    }
    tidy();
  }

  /** The cache of a profile that is none any more goes with its last destination. */
  function tidy(): void {
    for (const profile of caches.keys()) {
      const isGone = profiles !== null && !profiles.has(profile);
      if (isGone && ![...actors.values()].some(({ route }) => route.profile === profile)) caches.delete(profile);
    }
  }

  function build(route: Route, tally: Tally, crashed: (broken: Destination, error: unknown) => void): Destination {
    const destination: Destination = createDestination({
      route,
      cache: cacheOf(route.profile, route.probe),
      habits,
      permits,
      connect,
      now,
      random,
      post: outbox.post,
      answer(id, verdict) {
        tally.verdict(verdict);
        outbox.verdict(id, verdict);
      },
      tally,
      supervise(work) {
        try {
          const later = work();
          if (later !== undefined) void later.catch((error: unknown) => crashed(destination, error));
        } catch (error) {
          crashed(destination, error);
        }
      },
    });
    return destination;
  }

  function cacheOf(profile: string, probe: Probe): VerdictCache {
    const cache = caches.get(profile) ?? createCache({ profile, probe, threads, now });
    caches.set(profile, cache);
    return cache;
  }

  function tell(actor: Actor | undefined, message: Parameters<Destination['receive']>[0]): void {
    if (actor === undefined) return;
    const { destination } = actor;
    try {
      destination.receive(message);
    } catch (error) {
      crash(actor, destination, error);
    }
  }

  function ask(asks: Extract<ToWorker, { kind: 'asks' }>): void {
    const { ids, destinations, recipients, deadlinesMs } = asks;
    const traced = new Set(asks.traced);
    const fresh = new Set(asks.fresh);
    const touched = new Set<Actor>();
    for (const [i, id] of ids.entries()) {
      const actor = actors.get(destinations[i] ?? -1);
      const waiter = {
        id,
        deadlineMs: deadlinesMs[i] ?? now(),
        traced: traced.has(id),
        fresh: fresh.has(id),
        again: false,
      };
      if (actor === undefined) {
        outbox.verdict(id, failed('overload', 'the destination is not known to this thread', 'server'));
        continue;
      }
      touched.add(actor);
      tell(actor, { kind: 'ask', recipient: recipients[i] ?? '', ...waiter });
    }
    for (const actor of touched) tell(actor, { kind: 'pump' });
  }

  /** An actor that threw is built again; who waited is asked again once. Its permits come back when its connections are closed. */
  function crash(actor: Actor, broken: Destination, error: unknown): void {
    if (actor.destination !== broken) return;
    const lost = broken.outstanding();
    end(broken.stop('destroy'));
    outbox.post({
      kind: 'crash',
      destination: actor.number,
      error: error instanceof Error ? `${error.stack}` : `${error}`,
    });
    actor.destination = build(actor.route, actor.tally, (again, cause) => crash(actor, again, cause));
    for (const { recipient, waiter } of lost) {
      if (waiter.again) giveUp(waiter);
      else tell(actor, { kind: 'ask', recipient, ...waiter, again: true });
    }
    tell(actor, { kind: 'pump' });
  }

  function giveUp({ id }: Waiter): void {
    outbox.verdict(id, failed('overload', 'the destination broke twice', 'server'));
  }

  function end(closed: Promise<void>): void {
    leaving.add(closed);
    const gone = (): boolean => leaving.delete(closed);
    // A broken actor may fail even in this; its crash has been told.
    void closed.then(gone, gone);
  }

  function forget(number: number): void {
    const actor = actors.get(number);
    if (actor === undefined) return;
    actors.delete(number);
    // It has nobody waiting, or the main half would not forget it: its sessions say QUIT.
    end(actor.destination.stop('drain'));
    tidy();
  }

  function answer(question: number, known: Answer): void {
    outbox.post({ kind: 'answer', question, answer: known });
  }

  // Caches do not reject.
  async function flush(what: Flush): Promise<number> {
    const entries = await Promise.all([...caches.values()].map((cache) => cache.flush(what)));
    return entries.reduce((sum, some) => sum + some, 0);
  }

  async function lookup(recipient: string): Promise<readonly CacheEntry[]> {
    return (await Promise.all([...caches.values()].map((cache) => cache.lookup(recipient)))).flat();
  }

  function dump(first: boolean): readonly SavedAnswers[] {
    if (first) dumping = [...caches.values()].map((cache) => cache.saved());
    for (;;) {
      const [cache] = dumping;
      const piece = cache?.next();
      if (piece === undefined) return [];
      if (piece.done !== true) return piece.value;
      dumping.shift();
    }
  }

  function report(): Extract<Answer, { kind: 'report' }>['report'] {
    const reports = [...actors.values()].map(({ route, destination }) => ({
      profile: route.profile,
      report: destination.report(),
    }));
    return threadReport(
      reports,
      [...caches].map(([profile, cache]) => ({ profile, ...cache.counts() })),
    );
  }

  function counts(): readonly DestinationCounts[] {
    return [...actors.values()].flatMap(({ tally }) => tally.take() ?? []);
  }

  async function drain(deadlineMs: number): Promise<void> {
    const late = setTimeout(close, Math.max(0, deadlineMs - now()));
    await Promise.allSettled([...leaving, ...[...actors.values()].map(({ destination }) => destination.stop('drain'))]);
    clearTimeout(late);
    outbox.post({ kind: 'drained' });
    outbox.flush();
  }

  function close(): void {
    for (const actor of actors.values()) {
      for (const { waiter } of actor.destination.outstanding()) {
        outbox.verdict(waiter.id, failed('overload', 'the engine is closing', 'server'));
      }
      end(actor.destination.stop('destroy'));
    }
    actors.clear();
  }

  return { receive, counts, close };
}
