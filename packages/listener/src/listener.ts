import type { Socket } from 'node:net';
import type { Emit, ListenerSettings, NamesOf, Validate } from '@callahead/core';
import { createHarvestCounter, type HarvestCounter } from './dhap.ts';
import { createGate, type HoldSource, type Locate } from './gate.ts';
import type { Relay } from './relay.ts';
import { createReception } from './smtp/reception.ts';
import { createDoor } from './smtp/server.ts';
import { createSession } from './smtp/session.ts';
import { createTurns } from './smtp/turns.ts';
import { createUsage, type Usage } from './usage.ts';

export type ListenerOptions = Readonly<{
  settings: ListenerSettings;
  /** Which configuration it is that the settings are of, for the log; omitted, the first. */
  generation?: number;
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
  /** Sessions that count against `settings.limits.sessions` besides its own; omitted, there are none. */
  otherSessions?: () => number;
  emit: Emit;
  /** `performance.now()`, the clock of all deadlines. */
  now: () => number;
}>;

/** One listener of the front door. */
export type Listener = Readonly<{
  /** Opens the sockets of its settings. Resolves with the `host:port` of each; rejects when one of them cannot listen. */
  listen(): Promise<readonly string[]>;
  /** Serves a client of somebody else's socket. */
  accept(client: Socket): void;
  /** Closes its sockets; its sessions go on. */
  stopAccepting(): void;
  /** Stops accepting; sessions with an open transaction may finish it until `deadlineMs` (absolute), the others get `421 4.3.2` (SPEC 1.8). */
  drain(deadlineMs: number): Promise<void>;
  /** How many sessions are open. */
  sessions(): number;
  /** Settles when no session is open. */
  deserted(): Promise<void>;
}>;

/** A front door that is given its two other halves, how to validate a recipient and how to relay a message, as functions. */
export function createListener(options: ListenerOptions): Listener {
  const harvest = options.harvest ?? createHarvestCounter(options);
  const usage = options.usage ?? createUsage(options);
  const gate = createGate({ ...options, holds: options.holds ?? null, harvest, usage });
  const turns = createTurns(COMMANDS_A_TURN);
  const reception = createReception({ ...options, usage, namesOf: options.namesOf ?? nameless });
  return createDoor({
    ...options,
    generation: options.generation ?? 1,
    otherSessions: options.otherSessions ?? (() => 0),
    converse: (id, wire) => createSession({ ...options, id, gate, reception, turns }, wire),
  });
}

/** A transaction with its hundred recipients, or some small ones: one packet for a thread, while that one answers the packet before. */
const COMMANDS_A_TURN = 100;

async function nameless(): Promise<readonly string[]> {
  return [];
}
