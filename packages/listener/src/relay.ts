import {
  type Conversation,
  type DeliveryRoute,
  type DeliverySettings,
  dial as dialServer,
  openConversation,
  type Place,
  type Protocol,
  placesOf,
  type Recipient,
  type Reply,
  saysUnknown,
  serverName,
  serversInOrder,
  type Verdict,
} from '@callahead/core';
import { passedOn } from './answer.ts';
import { createDelivery, type Delivery } from './delivery.ts';
import type { Holds } from './refusals.ts';
import { beginTransaction, type Envelope, isPositive, NEXT_HOP } from './transaction.ts';

/** `refused`: the reply to DATA, in the next hop's own words where it spoke (for the door to mask); `server` is empty where none did. */
export type Opened =
  | Readonly<{ kind: 'open'; delivery: Delivery }>
  | Readonly<{ kind: 'refused'; reply: Reply; server: string }>;

/** Passes messages on while they arrive (SPEC 7.1). Nothing is kept: what the next hop has not acknowledged is still the sender's. */
export type Relay = Readonly<{
  /** Finds a server of the route that takes this message for all its recipients, up to its 354. Never rejects. */
  open(envelope: Envelope, route: DeliveryRoute): Promise<Opened>;
  /** Connections to next hops that are not closed yet. */
  connections(): number;
  /** Destroys what is still under way. Sessions that want their messages finished are drained before. */
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
  /** What a delivery tells about a recipient: it is unknown there after all (SPEC 7.3), or a server took its mail (SPEC 7.6). */
  learned: (recipient: Recipient, verdict: Verdict) => void;
  /** From 0 up to 1. */
  random?: () => number;
  dial?: typeof dialServer;
}>;

/** All servers together. A sender waits two minutes for the answer to DATA (RFC 5321 §4.5.3.2.4), whatever the route's length. */
const OPEN_WITHIN_MS = 110_000;

export function createRelay(options: RelayOptions): Relay {
  const { settings, hostname, now, holds, learned, random = Math.random, dial = dialServer } = options;
  const selfNames = new Set([hostname, ...(options.selfNames ?? [])].map((name) => name.toLowerCase()));
  const conversations = new Set<Conversation>();
  let turn = 0;
  let closing = false;

  async function open(envelope: Envelope, route: DeliveryRoute): Promise<Opened> {
    const once = { ...envelope, recipients: withoutRepeats(envelope.recipients) };
    const deadlineMs = now() + OPEN_WITHIN_MS;
    const misses: Miss[] = [];
    for (const server of serversInOrder(route, turn++, random)) {
      for (const place of placesOf(server, settings.interface)) {
        if (closing || now() >= deadlineMs) return refusedBy(misses);
        const to = { server: serverName(server), place, protocol: route.protocol, deadlineMs };
        const tried = await attempt(once, to);
        if (tried.kind !== 'missed') return tried;
        misses.push(tried);
      }
    }
    return refusedBy(misses);
  }

  async function attempt(envelope: Envelope, to: Attempt): Promise<Opened | Miss> {
    const { server: name, place, protocol, deadlineMs } = to;
    const connectTimeoutMs = Math.min(settings.connectTimeoutMs, deadlineMs - now());
    const dialed = await dial(place, connectTimeoutMs);
    if (dialed.kind === 'failed') return { kind: 'missed', reply: NEXT_HOP.unreachable, server: name };
    if (closing) {
      dialed.socket.destroy();
      return { kind: 'missed', reply: NEXT_HOP.unreachable, server: name };
    }
    const { commandTimeoutMs, endOfDataTimeoutMs } = settings;
    const conversation = track(openConversation(dialed.socket, { now, commandTimeoutMs }));
    const begun = await beginTransaction(conversation, { envelope, protocol, hostname, selfNames, deadlineMs });
    if (begun.kind === 'ready') {
      const taken = (): void => praise(envelope, name);
      const terms = { server: name, commandTimeoutMs, endOfDataTimeoutMs, now, taken };
      return { kind: 'open', delivery: createDelivery(conversation, terms) };
    }
    conversation.destroy();
    switch (begun.kind) {
      case 'failed':
        return { kind: 'missed', reply: begun.reply, server: name };
      case 'refused':
        return { kind: 'refused', reply: begun.reply, server: name };
      case 'divided':
        return { kind: 'refused', reply: divide(envelope, begun.replies, name), server: name };
    }
  }

  function track(conversation: Conversation): Conversation {
    conversations.add(conversation);
    void conversation.closed.then(() => conversations.delete(conversation)); // never rejects
    return conversation;
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
      if (!all) holds.put(sender, recipient.address, heldReply(reply));
    }
    return all ? mildest(refusals) : NEXT_HOP.divided;
  }

  return {
    open,
    connections: () => conversations.size,
    async close() {
      closing = true;
      for (const conversation of conversations) conversation.destroy();
      await Promise.all([...conversations].map((conversation) => conversation.closed));
    },
  };
}

/** One place where a server is tried. */
type Attempt = Readonly<{ server: string; place: Place; protocol: Protocol; deadlineMs: number }>;

/** A server that did not take the message, where another might. */
type Miss = Readonly<{ kind: 'missed'; reply: Reply; server: string }>;

/** What is left to say when all servers were tried: a no is final only where nobody who might say yes is left. */
function refusedBy(misses: readonly Miss[]): Opened {
  const told = misses.find((miss) => miss.reply.code < 500) ?? misses[0];
  return { kind: 'refused', reply: told?.reply ?? NEXT_HOP.unreachable, server: told?.server ?? '' };
}

/** The first refusal; a temporary one where there is any, for that recipient's sake. */
function mildest(refusals: readonly Reply[]): Reply {
  return refusals.find((reply) => reply.code < 500) ?? refusals[0] ?? NEXT_HOP.confused;
}

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
