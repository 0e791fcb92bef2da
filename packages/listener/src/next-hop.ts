import type { Socket } from 'node:net';
import {
  type DeliverySettings,
  type dial as dialServer,
  linger,
  openConversation,
  type Place,
  type Protocol,
  placesOf,
  type Reply,
  type Server,
} from '@callahead/core';
import type { NextHopConnection } from './connections.ts';
import { meet } from './hello.ts';
import { NEXT_HOP } from './transaction.ts';

/** One address of a server, and the name that led to it. */
export type Approach = Readonly<{ place: Place; name: string }>;

export type Connected =
  | Readonly<{ kind: 'connected'; connection: NextHopConnection }>
  /** Nothing of it is left. */
  | Readonly<{ kind: 'failed'; reply: Reply }>;

export type ConnectOptions = Readonly<{
  settings: DeliverySettings;
  protocol: Protocol;
  hostname: string;
  selfNames: ReadonlySet<string>;
  extended: boolean;
  deadlineMs: number;
  now: () => number;
  dial: typeof dialServer;
  /** Takes note of a socket; false: it is too late for new ones. */
  track: (socket: Socket) => boolean;
}>;

/** The addresses of a server, in the order to try them. */
export function approachesOf(server: Server, settings: DeliverySettings): readonly Approach[] {
  return placesOf(server, settings.interface).map((place, i) => ({
    place,
    name: server.kind === 'tcp' ? (server.targets[i]?.name ?? server.host) : 'localhost',
  }));
}

/** A literal address, or the path of a unix socket. */
export function placeName(place: Place): string {
  return place.kind === 'tcp' ? place.address : place.path;
}

/** Connects to one address, as far as MAIL; TLS that is optional and breaks is done without, on a connection of its own (SPEC 9.1). Never rejects. */
export async function connectTo(approach: Approach, options: ConnectOptions): Promise<Connected> {
  // Nobody listens in on a unix socket.
  const tls = approach.place.kind === 'unix' ? null : options.settings.tls;
  const first = await connectOnce(approach, tls, options);
  if (first.kind !== 'insecure') return first;
  const second = await connectOnce(approach, null, options);
  return second.kind === 'insecure' ? { kind: 'failed', reply: NEXT_HOP.insecure } : second;
}

async function connectOnce(
  { place, name }: Approach,
  tls: DeliverySettings['tls'],
  options: ConnectOptions,
): Promise<Connected | Readonly<{ kind: 'insecure' }>> {
  const { settings, protocol, deadlineMs, now, dial, track } = options;
  const { commandTimeoutMs } = settings;
  const dialed = await dial(place, Math.min(settings.connectTimeoutMs, deadlineMs - now()));
  if (dialed.kind === 'failed') return { kind: 'failed', reply: NEXT_HOP.unreachable };
  const { socket } = dialed;
  if (!track(socket)) {
    socket.destroy();
    return { kind: 'failed', reply: NEXT_HOP.unreachable };
  }
  const plain = openConversation(socket, { now, commandTimeoutMs });
  const met = await meet(plain, { ...options, tls, name, commandTimeoutMs });
  if (met.kind === 'met') {
    const { conversation, capabilities } = met;
    const openedAtMs = now();
    const connection = { conversation, capabilities, protocol, place: placeName(place), settings, socket, openedAtMs };
    return { kind: 'connected', connection };
  }
  socket.destroy();
  await plain.closed;
  await linger();
  return met;
}
