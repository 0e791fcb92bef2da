import { isIP } from 'node:net';
import type { Recipient } from '@callahead/core';
import type { Encryption } from './smtp/handshake.ts';

/** What the trace line of one message tells. `clientAddress` is a literal IP address; `receivedAtMs` is of the wall clock. */
export type ReceivedFacts = Readonly<{
  /** As the client said it after EHLO or HELO. */
  helo: string;
  clientAddress: string;
  /** Our own name. */
  hostname: string;
  extended: boolean;
  /** How the client is encrypted; null: not at all. */
  encryption: Encryption | null;
  smtpUtf8: boolean;
  /** Names the message in our log. */
  id: string;
  /** As their sender named them: where their mail lies is not told. */
  recipients: readonly Recipient[];
  receivedAtMs: number;
}>;

/**
 * The Received field for the front of a message, folded, with its line end (RFC 5321 §4.4). It tells what the sender knows already: no server
 * behind us is named, and no recipient where there are several, who need not know of each other.
 */
export function receivedLine(facts: ReceivedFacts): string {
  const client = addressLiteral(facts.clientAddress);
  const from = isHelo(facts.helo) ? facts.helo : client;
  const [recipient, ...others] = facts.recipients;
  const named = recipient !== undefined && others.length === 0 && isAscii(recipient.address);
  const parts = [
    `Received: from ${from} (${client})`,
    ...(facts.encryption === null ? [] : [comment(facts.encryption)]),
    `by ${facts.hostname} with ${protocol(facts)} id ${facts.id}`,
    ...(named ? [`for <${recipient.address}>`] : []),
  ];
  return `${parts.join('\r\n\t')};\r\n\t${dateTime(facts.receivedAtMs)}\r\n`;
}

/** The registered names: RFC 5321, RFC 3848, and RFC 6531 §4.3 for an internationalized message. */
function protocol({ extended, encryption, smtpUtf8 }: ReceivedFacts): string {
  if (!extended) return 'SMTP';
  return `${smtpUtf8 ? 'UTF8SMTP' : 'ESMTP'}${encryption === null ? '' : 'S'}`;
}

/** No clause of the field is for this, and so it is said as others say it. */
function comment({ protocol, cipher }: Encryption): string {
  return `(using ${protocol} with cipher ${cipher})`;
}

/** RFC 5321 §4.1.3 knows no zone, which is the name of an interface of ours. */
function addressLiteral(address: string): string {
  const [bare = ''] = address.split('%');
  return isIP(bare) === 6 ? `[IPv6:${bare}]` : `[${bare}]`;
}

// What a client calls itself is its own affair, but only a domain or an address literal may stand in the field (RFC 5321 §4.4).
function isHelo(helo: string): boolean {
  return helo.length <= 255 && /^(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?|\[[A-Za-z0-9:.]+\])$/.test(helo);
}

function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

/** RFC 5322 §3.3, in universal time: where we are is nobody's business. */
function dateTime(atMs: number): string {
  return new Date(atMs).toUTCString().replace('GMT', '+0000');
}
