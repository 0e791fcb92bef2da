import {
  type Configuration,
  ConfigurationError,
  type Emit,
  type Probe,
  problemLine,
  sameSettings,
} from '@callahead/core';
import type { Loaded } from '@callahead/core/config';
import { createConnections, createHarvestCounter, createHolds, createUsage } from '@callahead/listener';
import { createSources } from '@callahead/routing';
import { openCanaries } from './canaries.ts';
import { createGeneration, type Generation } from './generation.ts';
import { openEngine, openRouter } from './halves.ts';
import { openAdmin } from './operations.ts';
import { type Changes, createSockets, type Plan } from './sockets.ts';

/**
 * What became of a reload. `restart`: keys that were changed in the file and count only after a restart. `problems`: one text each, with the place
 * in the file where it has one; nothing has changed.
 */
export type Reload =
  | (Readonly<{ kind: 'reloaded'; generation: number; restart: readonly string[] }> & Changes)
  | Readonly<{ kind: 'refused'; problems: readonly string[] }>;

export type Gateway = Readonly<{
  /** Where each listener listens, as `host:port`: the real port where the file says 0. */
  listeners(): Readonly<Record<string, readonly string[]>>;
  /** Where the HTTP API listens, as `host:port`; null: there is none. */
  admin: string | null;
  /** The configurations at work: 1, and one more for each earlier one that still has sessions. */
  generations(): number;
  /** Reads the file again and puts it to work, or changes nothing (SPEC 1.8). One at a time; those that wait for their turn are one. Never rejects. */
  reload(): Promise<Reload>;
  /** Stops accepting, lets open transactions finish within the configuration's `drainTimeout`, says QUIT to the servers (SPEC 1.8). */
  drain(): Promise<void>;
}>;

export type GatewayOptions = Readonly<{
  /** The configuration's file, which problems are told of. */
  file: string;
  /** Reads it again; rejects with ConfigurationError where it is of no use. */
  load: () => Promise<Loaded>;
  /** A configuration has been put to work in place of another one. */
  applied: (configuration: Configuration) => void;
  emit: Emit;
  onFatal: (error: Error) => void;
}>;

/** Puts the halves together: listeners ask the router, the router's routes go to the engine. Rejects when a socket cannot listen, with nothing left open. */
export async function openGateway(first: Configuration, options: GatewayOptions): Promise<Gateway> {
  const { file, load, applied, onFatal } = options;
  const now = (): number => performance.now();
  const emit: Emit = (event) => {
    options.emit(event);
    admin?.observe(event);
  };
  const engine = openEngine(first, { emit, onFatal, cacheFile: first.cacheFile });
  const holds = createHolds({ holdTimeMs: first.delivery.holdTimeMs, now });
  const harvest = createHarvestCounter({ emit, now });
  const usage = createUsage({ now });
  const connections = createConnections({ now });
  const sources = createSources({ now, random: Math.random, emit });
  const canaries = openCanaries({ newest: () => newest, engine, emit, now });
  const sockets = createSockets((listener, error) => {
    emit({ event: 'client.error', session: '', listener, client: '', error: error.message });
  });
  /** The newest is the last one; the others have sessions. */
  const generations = new Set<Generation>();
  let number = 0;
  let newest = create(first);
  let stopping = false;
  let running: Promise<Reload> | null = null;
  let next: Promise<Reload> | null = null;

  const admin = openAdmin(first.admin, {
    engine,
    canaries,
    newest: () => newest,
    generations,
    listening: sockets.listening,
    stopping: () => stopping,
    reload,
    emit,
    now,
  });

  /** Makes a configuration ready for its clients. */
  function create(configuration: Configuration): Generation {
    number++;
    const listenAddresses = sockets.addresses;
    const generation: Generation = createGeneration({
      number,
      configuration,
      router: openRouter(configuration, { generation: number, listenAddresses, emit, now, sources }),
      engine,
      holds,
      connections,
      harvest,
      usage,
      guard: canaries.guard,
      otherSessions: (listener) => sessionsBesides(generation, listener),
      emit,
      now,
    });
    return generation;
  }

  function sessionsBesides(one: Generation, listener: string): number {
    let sessions = 0;
    for (const other of generations) if (other !== one) sessions += other.sessions(listener);
    return sessions;
  }

  function reload(): Promise<Reload> {
    if (running === null) {
      running = tell(replace()).finally(() => {
        running = null;
      });
      return running;
    }
    next ??= running.then(() => {
      next = null;
      return reload();
    });
    return next;
  }

  async function tell(replacing: Promise<Reload>): Promise<Reload> {
    const reloaded = await replacing;
    if (reloaded.kind === 'refused') {
      for (const problem of reloaded.problems) emit({ event: 'gateway.reload-refused', problem });
    } else {
      const { generation, opened, closed, kept, restart } = reloaded;
      emit({ event: 'gateway.reloaded', generation, opened, closed, kept, restart });
    }
    return reloaded;
  }

  async function replace(): Promise<Reload> {
    if (stopping) return STOPPING;
    try {
      const { configuration, warnings } = await load();
      for (const warning of warnings) emit({ event: 'gateway.reload-warning', problem: problemLine(file, warning) });
      const plan = await sockets.prepare(configuration.listeners);
      return put(withConnections(configuration), plan);
    } catch (error) {
      return { kind: 'refused', problems: problemsOf(error, file) };
    }
  }

  /** Connections to delivery hosts belong to the settings with which they were made: to equal ones as well. */
  function withConnections(configuration: Configuration): Configuration {
    const { delivery } = newest.configuration;
    return sameSettings(delivery, configuration.delivery) ? { ...configuration, delivery } : configuration;
  }

  function put(configuration: Configuration, plan: Plan): Reload {
    try {
      if (!stopping) return apply(create(configuration), plan);
    } catch (error) {
      plan.undo();
      throw error;
    }
    plan.undo();
    return STOPPING;
  }

  /** In one turn: nobody is served by a part of it. */
  function apply(next: Generation, plan: Plan): Reload {
    const { number: generation, configuration } = next;
    const old = newest;
    newest = next;
    generations.add(next);
    engine.renew(generation, probesOf(configuration));
    canaries.renew(configuration.profiles);
    plan.commit(next.serve);
    applied(configuration);
    // It never rejects where closing its parts does not.
    void retire(old);
    return { kind: 'reloaded', generation, ...plan.changes, restart: needRestart(first, configuration) };
  }

  async function retire(old: Generation): Promise<void> {
    await old.retire();
    generations.delete(old);
    emit({ event: 'gateway.generation-ended', generation: old.number });
  }

  async function drain(): Promise<void> {
    stopping = true;
    await close(now() + newest.configuration.drainTimeoutMs);
  }

  async function close(deadlineMs: number): Promise<void> {
    sockets.close();
    canaries.close();
    await Promise.all([...generations].map((generation) => generation.drain(deadlineMs)));
    generations.clear();
    await connections.close();
    await engine.close(Math.max(1_000, deadlineMs - now()));
    await admin?.close();
    // A reload that was under way opens nothing any more.
    await running;
  }

  let adminSocket: string | null = null;
  generations.add(newest);
  try {
    const plan = await sockets.prepare(first.listeners);
    plan.commit(newest.serve);
    adminSocket = (await admin?.listen()) ?? null;
    // Who is told that the gateway is ready may ask it at once.
    await engine.up();
    canaries.renew(first.profiles);
  } catch (error) {
    await close(now());
    throw error;
  }
  return { listeners: sockets.listening, admin: adminSocket, generations: () => generations.size, reload, drain };
}

const STOPPING: Reload = { kind: 'refused', problems: ['the gateway is stopping'] };

function problemsOf(error: unknown, file: string): readonly string[] {
  if (error instanceof ConfigurationError) return error.problems.map((problem) => problemLine(file, problem));
  return [error instanceof Error ? error.message : String(error)];
}

function probesOf({ profiles }: Configuration): Readonly<Record<string, Probe>> {
  return Object.fromEntries([...profiles].map(([name, { probe }]) => [name, probe]));
}

/** What the threads were started with stays as it is. */
function needRestart(running: Configuration, wanted: Configuration): readonly string[] {
  const keys = ['threads', 'maxPending', 'maxDestinations'] as const;
  const engine = keys.filter((key) => running.engine[key] !== wanted.engine[key]).map((key) => `engine.${key}`);
  const others = [
    ...(running.delivery.holdTimeMs === wanted.delivery.holdTimeMs ? [] : ['delivery.holdTime']),
    ...(sameSettings(running.admin, wanted.admin) ? [] : ['admin']),
    ...(running.cacheFile === wanted.cacheFile ? [] : ['cacheFile']),
  ];
  return [...engine, ...others];
}
