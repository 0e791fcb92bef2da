import type { Socket } from 'node:net';
import {
  type DeliveryRoute,
  type DeliverySettings,
  dial as dialServer,
  linger,
  type Protocol,
  type Recipient,
  type Reply,
  type Server,
  saysEnough,
  saysUnknown,
  serverName,
  serversInOrder,
  type Verdict,
} from '@callahead/core';
import { passedOn } from './answer.ts';
import { type Connections, createConnections, type NextHopConnection, type Permit } from './connections.ts';
import { createDelivery, type Delivery } from './delivery.ts';
import { approachesOf, connectTo, placeName } from './next-hop.ts';
import type { Holds } from './refusals.ts';
import { type Begun, beginTransaction, type Envelope, isPositive, NEXT_HOP } from './transaction.ts';

/** `refused`: the reply to DATA, in the next hop's own words where it spoke (for the door to mask); `server` is empty where none did. */
export type Opened =
  | Readonly<{ kind: 'open'; delivery: Delivery }>
  | Readonly<{ kind: 'refused'; reply: Reply; server: string }>;

/** Passes messages on while they arrive (SPEC 7.1). Nothing is kept: what the next hop has not acknowledged is still the sender's. */
export type Relay = Readonly<{
  /** Finds a server of the route that takes this message for all its recipients, up to its 354. `signal`: its sender is gone. Never rejects. */
  open(envelope: Envelope, route: DeliveryRoute, signal?: AbortSignal): Promise<Opened>;
  /** Connections to next hops that are not closed yet, of all relays that share them. */
  connections(): number;
  /** Destroys what is still under way; connections that wait are closed too, unless others share them. Sessions that want their messages finished are drained before. */
  close(): Promise<void>;
}>;

export type RelayOptions = Readonly<{
  settings: DeliverySettings;
  /** For EHLO. */
  hostname: string;
  /** The names that are us besides the host name (SPEC 5.7). */
  selfNames?: readonly string[];
  now: () => number;
  holds: Holds;
  /** Shared by all relays of a gateway, for the limits are on all of them; omitted, this one has its own. */
  connections?: Connections;
  /** What a delivery tells about a recipient: it is unknown there after all (SPEC 7.3), or a server took its mail (SPEC 7.6). */
  learned: (recipient: Recipient, verdict: Verdict) => void;
  /** From 0 up to 1. */
  random?: () => number;
  dial?: typeof dialServer;
}>;

/** All servers together. A sender waits two minutes for the answer to DATA (RFC 5321 §4.5.3.2.4), whatever the route's length. */
const OPEN_WITHIN_MS = 110_000;
const RESET_WITHIN_MS = 5_000;

const NEVER = new AbortController().signal;

export function createRelay(options: RelayOptions): Relay {
  const { settings, hostname, now, holds, learned, random = Math.random, dial = dialServer } = options;
  const selfNames = new Set([hostname, ...(options.selfNames ?? [])].map((name) => name.toLowerCase()));
  const connections = options.connections ?? createConnections({ now });
  /** Connections that do not wait, each with what forgets it once it is closed: relays that share connections share none of these. */
  const busy = new Map<Socket, () => void>();
  let turn = 0;
  let closing = false;

  async function open(envelope: Envelope, route: DeliveryRoute, signal = NEVER): Promise<Opened> {
    const recipients = withoutRepeats(envelope.recipients);
    // RFC 6531 §3.4; it may be a directory that put such an address in the place of another.
    const smtpUtf8 = envelope.smtpUtf8 || recipients.some(({ utf8 }) => utf8);
    const once = { ...envelope, smtpUtf8, recipients };
    const { protocol } = route;
    const parcel: Parcel = { envelope: once, protocol, deadlineMs: now() + OPEN_WITHIN_MS, signal, misses: [] };
    for (const server of serversInOrder(route, turn++, random)) {
      if (closing || signal.aborted || now() >= parcel.deadlineMs) break;
      const opened = await offer(server, parcel);
      if (opened !== null) return opened;
    }
    return refusedBy(parcel.misses);
  }

  /** Over a connection that waits; where that has died meanwhile, once over a new one, for nothing of the message was said (SPEC 4.11). */
  async function offer(server: Server, parcel: Parcel): Promise<Opened | null> {
    const permit = await borrow(server, parcel, 'any');
    if (permit === null) return miss(parcel, NEXT_HOP.busy, server);
    if (permit.idle === null) return offerAnew(server, permit, parcel);
    const { idle } = permit;
    if (!track(idle.socket)) {
      connections.keep(serverName(server), idle);
      return miss(parcel, NEXT_HOP.unreachable, server);
    }
    const begun = await beginTransaction({ ...idle, ...parcel });
    if (begun.kind !== 'dead') return conclude(begun, idle, server, parcel);
    const fresh = await borrow(server, parcel, 'new');
    return fresh === null ? miss(parcel, NEXT_HOP.busy, server) : offerAnew(server, fresh, parcel);
  }

  function borrow(
    server: Server,
    { protocol, deadlineMs, signal }: Parcel,
    kind: 'any' | 'new',
  ): Promise<Permit | null> {
    const places = new Set(approachesOf(server, settings).map(({ place }) => placeName(place)));
    const fits = (idle: NextHopConnection): boolean =>
      kind === 'any' && idle.settings === settings && idle.protocol === protocol && places.has(idle.place);
    const limit = settings.maxConnectionsPerServer;
    return connections.borrow({ server: serverName(server), limit, fits, first: kind === 'new', deadlineMs, signal });
  }

  /** One permit, one connection: an address is given up before the next one is tried. */
  async function offerAnew(server: Server, permit: Permit, parcel: Parcel): Promise<Opened | null> {
    const { envelope, protocol, deadlineMs } = parcel;
    const extended = envelope.smtpUtf8 || envelope.body === '8BITMIME';
    const terms = { settings, protocol, hostname, selfNames, extended, deadlineMs, now, dial, track };
    for (const approach of approachesOf(server, settings)) {
      if (closing || now() >= deadlineMs) break;
      const connected = await connectTo(approach, terms);
      if (connected.kind === 'failed') {
        miss(parcel, connected.reply, server);
        continue;
      }
      const { connection } = connected;
      const begun = await beginTransaction({ ...connection, ...parcel });
      if (begun.kind !== 'failed' && begun.kind !== 'dead') {
        permit.bind(connection);
        return conclude(begun, connection, server, parcel);
      }
      miss(parcel, begun.reply, server);
      connection.conversation.destroy();
      await connection.conversation.closed;
      await linger();
    }
    permit.giveBack();
    return null;
  }

  function conclude(begun: Begun, connection: NextHopConnection, to: Server, parcel: Parcel): Opened | null {
    const { envelope } = parcel;
    const server = serverName(to);
    if (begun.kind === 'ready') return { kind: 'open', delivery: deliver(envelope, connection, server) };
    // Nobody waits for this, and it never rejects.
    void reset(server, connection);
    switch (begun.kind) {
      case 'dead':
      case 'failed':
        return miss(parcel, begun.reply, to);
      case 'refused':
        return { kind: 'refused', reply: begun.reply, server };
      case 'divided':
        return { kind: 'refused', reply: divide(envelope, begun.replies, server), server };
    }
  }

  function deliver(envelope: Envelope, connection: NextHopConnection, server: string): Delivery {
    const { commandTimeoutMs, endOfDataTimeoutMs } = settings;
    return createDelivery(connection.conversation, {
      server,
      commandTimeoutMs,
      endOfDataTimeoutMs,
      now,
      taken() {
        praise(envelope, server);
        putBack(server, connection);
      },
      refused: () => void reset(server, connection),
    });
  }

  /** After a no the connection waits only if the server forgets what was said. Never rejects. */
  async function reset(server: string, connection: NextHopConnection): Promise<void> {
    const { conversation } = connection;
    if (!conversation.usable()) return;
    const said = await conversation.cmd('RSET', now() + RESET_WITHIN_MS);
    if (said.kind === 'reply' && isPositive(said.reply)) putBack(server, connection);
    else conversation.destroy();
  }

  function putBack(server: string, connection: NextHopConnection): void {
    const { socket } = connection;
    const forget = busy.get(socket);
    if (forget !== undefined) socket.off('close', forget);
    busy.delete(socket);
    connections.keep(server, connection);
  }

  function track(socket: Socket): boolean {
    if (closing) return false;
    const forget = (): void => void busy.delete(socket);
    busy.set(socket, forget);
    socket.once('close', forget);
    return true;
  }

  /** SPEC 7.6. */
  function praise({ recipients }: Envelope, server: string): void {
    for (const recipient of recipients) learned(recipient, { kind: 'valid', source: 'delivery', server });
  }

  /** The reply to DATA where recipients were refused, so that the sender's next attempt is answered recipient by recipient (SPEC 7.3). */
  function divide({ sender, recipients }: Envelope, replies: readonly Reply[], server: string): Reply {
    const refusals = replies.filter((reply) => !isPositive(reply));
    const all = refusals.length === replies.length;
    for (const [i, recipient] of recipients.entries()) {
      const reply = replies[i];
      if (reply === undefined || isPositive(reply)) continue;
      if (saysUnknown(reply)) learned(recipient, { kind: 'unknown', source: 'delivery', server, reply, ref: '' });
      // Unknown ones too, beyond SPEC 7.3: one that is bypassed has no cached verdict, and would keep the message from the others for ever.
      // Deviates from SPEC 7.3, which has the sender hear 552: that would lose a recipient for whom there was only no more room (RFC 5321 §4.5.3.1.10).
      const isEnough = saysEnough(reply) && replies.slice(0, i).some(isPositive);
      if (!all) holds.put(sender, recipient.address, heldReply(isEnough ? ENOUGH : reply));
    }
    return all ? mildest(refusals) : NEXT_HOP.divided;
  }

  return {
    open,
    connections: connections.open,
    async close() {
      closing = true;
      const sockets = [...busy.keys()];
      const gone = sockets.map((socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())));
      for (const socket of sockets) socket.destroy();
      await Promise.all(gone);
      if (options.connections === undefined) await connections.close();
    },
  };
}

/** One message, and what goes for each attempt to pass it on. */
type Parcel = Readonly<{
  envelope: Envelope;
  protocol: Protocol;
  deadlineMs: number;
  signal: AbortSignal;
  /** Where it was not taken. */
  misses: Miss[];
}>;

/** A server that did not take the message, where another might. */
type Miss = Readonly<{ reply: Reply; server: string }>;

function miss({ misses }: Parcel, reply: Reply, server: Server): null {
  misses.push({ reply, server: serverName(server) });
  return null;
}

/** What is left to say when all servers were tried: a no is final only where nobody who might say yes is left. */
function refusedBy(misses: readonly Miss[]): Opened {
  const told = misses.find((miss) => miss.reply.code < 500) ?? misses[0];
  return { kind: 'refused', reply: told?.reply ?? NEXT_HOP.unreachable, server: told?.server ?? '' };
}

/** The first refusal; a temporary one where there is any, for that recipient's sake. */
function mildest(refusals: readonly Reply[]): Reply {
  return refusals.find((reply) => reply.code < 500) ?? refusals[0] ?? NEXT_HOP.confused;
}

const ENOUGH: Reply = { code: 452, enhanced: '4.5.3', text: 'Too many recipients' };

/** A hold is said at RCPT as it is: a code of SPEC 4.9, and a text that gives nothing of the server away. */
function heldReply({ code, enhanced }: Reply): Reply {
  const permanent = code >= 500;
  return {
    code: passedOn(code, permanent),
    enhanced: enhanced ?? (permanent ? '5.0.0' : '4.0.0'),
    text: permanent ? 'This recipient does not take the message' : 'Not taken for this recipient now, try again later',
  };
}

function withoutRepeats(recipients: readonly Recipient[]): readonly Recipient[] {
  return [...new Map(recipients.map((recipient) => [recipient.address, recipient])).values()];
}
