import type { Socket } from 'node:net';
import type { Configuration, Emit, ListenerSettings, Recipient, Validate, Verdict } from '@callahead/core';
import {
  type Connections,
  createListener,
  createRelay,
  type HarvestCounter,
  type Holds,
  type Listener,
  type Relay,
  type Usage,
} from '@callahead/listener';
import type { Router } from '@callahead/routing';
import type { Engine } from '@callahead/workers';
import { createValidate } from './halves.ts';

/** One configuration at work: its routing, and a front door for each of its listeners. Sessions that it began end as it says. */
export type Generation = Readonly<{
  /** Counts from 1. */
  number: number;
  configuration: Configuration;
  router: Router;
  /** Who serves the clients of a listener. */
  serve(listener: string): (client: Socket) => void;
  /** Sessions of the listener. */
  sessions(listener: string): number;
  /** Lets its sessions go on, and frees what they share when the last one has ended. Nobody may be handed to it any more. */
  retire(): Promise<void>;
  /** Lets open transactions finish until then (SPEC 1.8), and frees everything. */
  drain(deadlineMs: number): Promise<void>;
}>;

export type GenerationOptions = Readonly<{
  number: number;
  configuration: Configuration;
  router: Router;
  engine: Engine;
  holds: Holds;
  connections: Connections;
  harvest: HarvestCounter;
  usage: Usage;
  /** What is done with verdicts before they count. */
  guard: (validate: Validate) => Validate;
  /** Sessions of a listener that earlier configurations began. */
  otherSessions: (listener: string) => number;
  emit: Emit;
  now: () => number;
}>;

/** How long feedback from a delivery may look for its destination; it is worth nothing later. */
const LEARN_WITHIN_MS = 10_000;

export function createGeneration(options: GenerationOptions): Generation {
  const { configuration, router } = options;
  const learning = new Set<Promise<void>>();
  const doors = new Map(configuration.listeners.map((settings) => [settings.name, openDoor(settings, learn, options)]));
  const listeners = [...doors.values()].map(({ listener }) => listener);
  let freed: Promise<void> | null = null;

  function learn(settings: ListenerSettings, recipient: Recipient, verdict: Verdict): void {
    const learned = learnVerdict(settings, options, recipient, verdict);
    learning.add(learned);
    // It never rejects.
    void learned.then(() => learning.delete(learned));
  }

  function free(): Promise<void> {
    freed ??= close();
    return freed;
  }

  async function close(): Promise<void> {
    await Promise.all([...doors.values()].map(({ relay }) => relay.close()));
    await Promise.all(learning);
    await router.close();
  }

  return {
    number: options.number,
    configuration,
    router,
    serve(name) {
      const door = doors.get(name);
      if (door === undefined) throw new TypeError(`no listener ${name} to serve`);
      return door.listener.accept;
    },
    sessions: (name) => doors.get(name)?.listener.sessions() ?? 0,
    async retire() {
      await Promise.all(listeners.map((listener) => listener.deserted()));
      await free();
    },
    async drain(deadlineMs) {
      await Promise.all(listeners.map((listener) => listener.drain(deadlineMs)));
      await free();
    },
  };
}

type Door = Readonly<{ listener: Listener; relay: Relay }>;

function openDoor(
  settings: ListenerSettings,
  learn: (settings: ListenerSettings, recipient: Recipient, verdict: Verdict) => void,
  options: GenerationOptions,
): Door {
  const { configuration, engine, router, holds, connections, harvest, usage, guard, otherSessions, emit, now } =
    options;
  const { hostname } = configuration;
  const relay = createRelay({
    settings: configuration.delivery,
    hostname,
    selfNames: configuration.self.names,
    now,
    holds,
    connections,
    learned: (recipient, verdict) => learn(settings, recipient, verdict),
  });
  const listener = createListener({
    settings,
    generation: options.number,
    hostname,
    validate: guard(createValidate(router, engine.validate)),
    locate: (request) => router.toDeliver(request),
    relay,
    holds,
    harvest,
    usage,
    namesOf: router.namesOf,
    overloaded: engine.full,
    otherSessions: () => otherSessions(settings.name),
    emit,
    now,
  });
  return { listener, relay };
}

/** What a delivery host said about a recipient goes to the cache of the destination that was asked (SPEC 7.3, 7.6). */
async function learnVerdict(
  settings: ListenerSettings,
  { engine, router, now }: GenerationOptions,
  recipient: Recipient,
  verdict: Verdict,
): Promise<void> {
  const access = settings.recipientAccess.decide(recipient);
  // Whom access refuses nobody asks about: only who relays may write there.
  const profile = access.kind === 'accept' ? (access.profile ?? settings.profile) : null;
  if (profile === null) return;
  const routing = await router.toAsk({
    recipient,
    profile,
    listener: settings.name,
    deadlineMs: now() + LEARN_WITHIN_MS,
    recorder: null,
  });
  if (routing.kind === 'ask') engine.learn(routing.route, routing.recipient, verdict);
}
