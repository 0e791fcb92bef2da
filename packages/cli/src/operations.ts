import { type Admin, type Canaries, createAdmin, type Operations } from '@callahead/admin';
import type { AdminSettings, Emit } from '@callahead/core';
import type { Engine } from '@callahead/workers';
import { explain } from './explain.ts';
import type { Generation } from './generation.ts';
import { createValidate } from './halves.ts';
import { version } from './package.ts';

/** What the HTTP API is given of a gateway. All of it is asked for anew each time: a gateway changes. */
type OperationsParts = Readonly<{
  engine: Engine;
  canaries: Canaries;
  newest: () => Generation;
  /** The newest one too. */
  generations: ReadonlySet<Generation>;
  /** The sockets of each listener, as `host:port`. */
  listening: () => Readonly<Record<string, readonly string[]>>;
  stopping: () => boolean;
  reload: Operations['reload'];
  now: () => number;
}>;

/** The HTTP API of a gateway, which does not listen yet; null: its configuration wants none. */
export function openAdmin(
  settings: AdminSettings | null,
  { emit, ...parts }: OperationsParts & Readonly<{ emit: Emit }>,
): Admin | null {
  if (settings === null) return null;
  return createAdmin({
    settings,
    version,
    operations: createOperations(parts),
    emit,
    now: parts.now,
    wallMs: Date.now,
  });
}

function createOperations(parts: OperationsParts): Operations {
  const { engine, canaries, newest, generations, listening, stopping, reload, now } = parts;

  function sessionsOf(listener: string): number {
    let sessions = 0;
    for (const generation of generations) sessions += generation.sessions(listener);
    return sessions;
  }

  return {
    configuration: () => newest().configuration,
    listeners: () =>
      newest().configuration.listeners.map(({ name, profile }) => ({
        name,
        sockets: listening()[name] ?? [],
        profile: profile?.name ?? null,
        sessions: sessionsOf(name),
      })),
    state() {
      if (stopping()) return 'stopping';
      return engine.full() ? 'overloaded' : 'ready';
    },
    report: engine.report,
    canaries: canaries.states,
    lookup: engine.lookup,
    flush(what) {
      for (const { router } of generations) router.flush(what);
      return engine.flush(what);
    },
    async verify({ recipient, profile, listener }) {
      const validate = canaries.guard(createValidate(newest().router, engine.validate));
      const deadlineMs = now() + profile.validationTimeoutMs;
      return validate({ recipient, profile, listener, deadlineMs, recorder: null });
    },
    explain: (question) => explain(question, { router: newest().router, engine, guard: canaries.guard, now }),
    reload,
  };
}
