import type { Conversation, Reply } from '@callahead/core';
import { brokenReply, isPositive, NEXT_HOP, refusal } from './transaction.ts';

/** A message on its way to the next hop, which has said 354. It ends with `finish` or with `abort`. */
export type Delivery = Readonly<{
  /** Who takes it, by `serverName`. */
  server: string;
  /** Dot-stuffed octets with CRLF line ends only, as the scanner passes them. A promise asks to wait: it settles when the next hop takes more, or is given up. */
  write(octets: Buffer): void | Promise<void>;
  /** Sends the end of data. The next hop's own words, for the door to mask, or 451: never a yes that did not come from it in time (SPEC 7.1). */
  finish(): Promise<Reply>;
  /** Ends it without the end of data, so that the next hop takes nothing (SPEC 7.5). */
  abort(): void;
}>;

export type DeliveryOptions = Readonly<{
  server: string;
  commandTimeoutMs: number;
  endOfDataTimeoutMs: number;
  now: () => number;
  /** The next hop has the message, and can have the next one. */
  taken: () => void;
  /** It said no to all of it, and is there. */
  refused: () => void;
}>;

const CRLF = '\r\n';

/** Streams a message into a conversation whose last reply was 354. */
export function createDelivery(conversation: Conversation, options: DeliveryOptions): Delivery {
  const { server, commandTimeoutMs, endOfDataTimeoutMs, now, taken, refused } = options;
  // The line end of DATA counts as the first half of the terminator (RFC 5321 §4.1.1.4).
  let tail = CRLF;
  let finished: Promise<Reply> | null = null;

  function write(octets: Buffer): void | Promise<void> {
    if (octets.length === 0 || !conversation.usable()) return;
    tail = `${tail}${octets.toString('latin1', Math.max(0, octets.length - 2))}`.slice(-2);
    if (!conversation.send(octets)) return drain();
  }

  /** A next hop that stops reading holds up its sender for as long as a command may take, and no longer. */
  async function drain(): Promise<void> {
    if (!(await conversation.drained(now() + commandTimeoutMs))) conversation.destroy();
  }

  async function end(): Promise<Reply> {
    if (!conversation.usable()) return brokenReply(conversation.broken());
    const deadlineMs = now() + endOfDataTimeoutMs;
    conversation.send(Buffer.from(tail === CRLF ? '.\r\n' : '\r\n.\r\n'));
    const said = await conversation.next(deadlineMs);
    if (said.kind === 'broken')
      return said.reply === null && said.cause !== 'protocol' ? NEXT_HOP.unanswered : brokenReply(said);
    // The sender may have given up by now and will come again: twice is better than never, and a late yes would be neither (RFC 1047).
    if (now() > deadlineMs) {
      conversation.destroy();
      return NEXT_HOP.unanswered;
    }
    if (isPositive(said.reply)) {
      taken();
      return said.reply;
    }
    if (said.reply.code === 421 || said.reply.code < 400) conversation.destroy();
    else refused();
    return refusal(said.reply);
  }

  return {
    server,
    write,
    finish() {
      finished ??= end();
      return finished;
    },
    abort: conversation.destroy,
  };
}
