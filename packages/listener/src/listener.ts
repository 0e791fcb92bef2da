import type { Emit, ListenerSettings, NamesOf, Validate } from '@callahead/core';
import { createHarvestCounter, type HarvestCounter } from './dhap.ts';
import { createGate, type HoldSource, type Locate } from './gate.ts';
import type { Relay } from './relay.ts';
import { createReception } from './smtp/reception.ts';
import { createDoor } from './smtp/server.ts';
import { createSession } from './smtp/session.ts';
import { createUsage, type Usage } from './usage.ts';

export type ListenerOptions = Readonly<{
  settings: ListenerSettings;
  /** Our own name: banner, EHLO, Received. */
  hostname: string;
  /** Finds out about one recipient. */
  validate: Validate;
  locate: Locate;
  /** Takes the messages. Never called where `settings.relay` is false. */
  relay: Pick<Relay, 'open'>;
  /** Refusals that delivery hosts owe to senders (SPEC 7.3); omitted, there are none. */
  holds?: HoldSource;
  /** Shared by all listeners of a gateway (SPEC 6.3); omitted, this one has its own. */
  harvest?: HarvestCounter;
  /** Shared by all listeners of a gateway (SPEC 6.4); omitted, this one has its own. */
  usage?: Usage;
  /** Finds out the names of clients, for host access entries with names; omitted, nobody has one. */
  namesOf?: NamesOf;
  /** True while new sessions get 421 (SPEC 8.4). */
  overloaded: () => boolean;
  emit: Emit;
  /** `performance.now()`, the clock of all deadlines. */
  now: () => number;
}>;

/** One listener of the front door. */
export type Listener = Readonly<{
  /** Resolves with the `host:port` of each socket; rejects when one of them cannot listen. */
  listen(): Promise<readonly string[]>;
  stopAccepting(): Promise<void>;
  /** Stops accepting; sessions with an open transaction may finish it until `deadlineMs` (absolute), the others get `421 4.3.2` (SPEC 1.8). */
  drain(deadlineMs: number): Promise<void>;
  /** How many sessions are open. */
  sessions(): number;
}>;

/** A front door that is given its two other halves, how to validate a recipient and how to relay a message, as functions. */
export function createListener(options: ListenerOptions): Listener {
  const harvest = options.harvest ?? createHarvestCounter(options);
  const usage = options.usage ?? createUsage(options);
  const gate = createGate({ ...options, holds: options.holds ?? null, harvest, usage });
  const receive = createReception({ ...options, usage, namesOf: options.namesOf ?? nameless });
  return createDoor({
    ...options,
    converse: (id, wire) => createSession({ ...options, id, gate, receive }, wire),
  });
}

async function nameless(): Promise<readonly string[]> {
  return [];
}
