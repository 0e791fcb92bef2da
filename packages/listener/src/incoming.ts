import type { Client, DeliveryRoute, Recipient, Reply } from '@callahead/core';

/** One mail transaction, from MAIL to its end. A gate's `settle` adds to it what it accepts. */
export type Transaction = {
  readonly client: Client;
  /** Canonical; `''` is the null sender. */
  readonly sender: string;
  readonly body: '7BIT' | '8BITMIME';
  readonly smtpUtf8: boolean;
  readonly size: number | null;
  /** RCPTs answered 2xx, repeats included (SPEC 6.4). */
  accepted: number;
  /** Set by the first recipient that is delivered anywhere (SPEC 7.2). */
  route: DeliveryRoute | null;
  /** Who the message is delivered to, in the order of their RCPTs, as routing rewrote them. */
  readonly recipients: Recipient[];
  /** The same, as their sender named them. */
  readonly named: Recipient[];
  /** What was held for those it is delivered to, and has been told, by their addresses; null: nothing. */
  held: Map<string, Reply> | null;
  /** Set once harvest protection stopped it: what DATA gets, and nobody gets the message (SPEC 6.3). */
  stopped: Reply | null;
};

/** What MAIL says of a message. */
export type Announced = Pick<Transaction, 'sender' | 'body' | 'smtpUtf8' | 'size'>;

const PLAIN = { body: '7BIT', smtpUtf8: false, size: null } as const;

/** A transaction in which nobody has been named yet. What MAIL does not say needs no extension. */
export function openTransaction(
  client: Client,
  announced: Partial<Announced> & Pick<Announced, 'sender'>,
): Transaction {
  return {
    client,
    ...PLAIN,
    ...announced,
    accepted: 0,
    route: null,
    recipients: [],
    named: [],
    held: null,
    stopped: null,
  };
}
