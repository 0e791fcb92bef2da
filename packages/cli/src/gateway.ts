import type { Configuration, Emit, ListenAddress, ListenerSettings, Recipient, Verdict } from '@callahead/core';
import {
  type Connections,
  createConnections,
  createHarvestCounter,
  createHolds,
  createListener,
  createRelay,
  createUsage,
  type HarvestCounter,
  type Holds,
  type Listener,
  type Relay,
  type Usage,
} from '@callahead/listener';
import type { Router } from '@callahead/routing';
import type { Engine } from '@callahead/workers';
import { createValidate, openHalves } from './halves.ts';

export type Gateway = Readonly<{
  /** Where each listener listens, as `host:port`: the real port where the file says 0. */
  listeners: Readonly<Record<string, readonly string[]>>;
  /** Stops accepting, lets open transactions finish within the configuration's `drainTimeout`, says QUIT to the servers (SPEC 1.8). */
  drain(): Promise<void>;
}>;

/** How long feedback from a delivery may look for its destination; it is worth nothing later. */
const LEARN_WITHIN_MS = 10_000;

/** Puts the halves together: listeners ask the router, the router's routes go to the engine. Rejects when a socket cannot listen, with nothing left open. */
export async function openGateway(
  configuration: Configuration,
  { emit, onFatal }: Readonly<{ emit: Emit; onFatal: (error: Error) => void }>,
): Promise<Gateway> {
  const bound: ListenAddress[] = [];
  const halves = openHalves(configuration, { emit, onFatal, listenAddresses: () => bound });
  const { engine, router, now } = halves;
  const holds = createHolds({ holdTimeMs: configuration.delivery.holdTimeMs, now });
  const harvest = createHarvestCounter({ emit, now });
  const usage = createUsage({ now });
  const connections = createConnections({ now });
  const parts = { configuration, engine, router, holds, connections, harvest, usage, emit, now };
  const doors = configuration.listeners.map((settings) => openDoor(settings, parts));

  async function close(deadlineMs: number): Promise<void> {
    await Promise.all(doors.map(({ listener }) => listener.drain(deadlineMs)));
    await Promise.all(doors.map(({ relay }) => relay.close()));
    await connections.close();
    await halves.close(Math.max(1_000, deadlineMs - now()));
  }

  const addresses: Record<string, readonly string[]> = {};
  try {
    for (const { name, listener } of doors) {
      const sockets = await listener.listen();
      addresses[name] = sockets;
      bound.push(...sockets.map(parseSocket));
    }
    // Who is told that the gateway is ready may ask it at once.
    await engine.up();
  } catch (error) {
    await close(now());
    throw error;
  }
  return { listeners: addresses, drain: () => close(now() + configuration.drainTimeoutMs) };
}

type Parts = Readonly<{
  configuration: Configuration;
  engine: Engine;
  router: Router;
  holds: Holds;
  connections: Connections;
  harvest: HarvestCounter;
  usage: Usage;
  emit: Emit;
  now: () => number;
}>;

type Door = Readonly<{ name: string; listener: Listener; relay: Relay }>;

function openDoor(settings: ListenerSettings, parts: Parts): Door {
  const { configuration, engine, router, holds, connections, harvest, usage, emit, now } = parts;
  const { hostname } = configuration;
  const relay = createRelay({
    settings: configuration.delivery,
    hostname,
    selfNames: configuration.self.names,
    now,
    holds,
    connections,
    // Nobody waits for it, and it never rejects.
    learned: (recipient, verdict) => void learn(settings, parts, recipient, verdict),
  });
  const listener = createListener({
    settings,
    hostname,
    validate: createValidate(router, engine.validate),
    locate: (request) => router.toDeliver(request),
    relay,
    holds,
    harvest,
    usage,
    namesOf: router.namesOf,
    overloaded: engine.full,
    emit,
    now,
  });
  return { name: settings.name, listener, relay };
}

/** What a delivery host said about a recipient goes to the cache of the destination that was asked (SPEC 7.3, 7.6). */
async function learn(
  settings: ListenerSettings,
  { engine, router, now }: Parts,
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

function parseSocket(socket: string): ListenAddress {
  const colon = socket.lastIndexOf(':');
  return { host: socket.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(socket.slice(colon + 1)) };
}
