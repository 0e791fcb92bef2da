import {
  type Capabilities,
  type Conversation,
  greetedName,
  noCapabilities,
  type Protocol,
  parseCapabilities,
  type Recipient,
  type Reply,
  type Said,
} from '@callahead/core';

/** One message as its sender announced it. */
export type Envelope = Readonly<{
  /** Canonical; `''` is the null sender. */
  sender: string;
  body: '7BIT' | '8BITMIME';
  smtpUtf8: boolean;
  /** In octets, as declared; null where it was not. */
  size: number | null;
  recipients: readonly Recipient[];
}>;

/** How far a server went with a message. */
export type Begun =
  /** It said 354 to all of it. */
  | Readonly<{ kind: 'ready' }>
  /** It is of no use for this message, another server may be. */
  | Readonly<{ kind: 'failed'; reply: Reply }>
  /** It knows the message and does not take it. */
  | Readonly<{ kind: 'refused'; reply: Reply }>
  /** It does not take it for all recipients: one reply each, in their order. */
  | Readonly<{ kind: 'divided'; replies: readonly Reply[] }>;

/** By LMTP the envelope has one recipient, for each would have a reply of its own to the end of data (SPEC 7.2, RFC 2033 §4.2). */
export type Terms = Readonly<{
  envelope: Envelope;
  protocol: Protocol;
  hostname: string;
  /** Lower case; a server that greets with one of them is us (SPEC 5.7). */
  selfNames: ReadonlySet<string>;
  deadlineMs: number;
}>;

/** What is said about a next hop that gives no answer fit for the sender; codes as for a call-ahead that failed (SPEC 4.8). */
export const NEXT_HOP = {
  unreachable: says(451, '4.4.1', 'The next hop cannot be reached'),
  lost: says(451, '4.4.2', 'The connection to the next hop broke'),
  confused: says(451, '4.5.0', 'The next hop does not speak SMTP as expected'),
  unwilling: says(451, '4.5.0', 'The next hop does not talk to us'),
  // A configuration error that somebody will mend: the mail can wait for it (SPEC 4.8, 5.7).
  loop: says(451, '4.4.6', 'The next hop is this gateway'),
  divided: says(451, '4.3.0', 'Some recipients were refused, they are told so when the message is sent again'),
  noUtf8: says(553, '5.6.7', 'The next hop does not take internationalized messages'),
  no8Bit: says(554, '5.6.3', 'The next hop does not take 8-bit messages'),
  tooBig: says(552, '5.3.4', 'Message too big for the next hop'),
} as const satisfies Readonly<Record<string, Reply>>;

/** Takes a fresh connection as far as 354. DATA is said only once every recipient is accepted: all or nothing (SPEC 7.3). */
export async function beginTransaction(conversation: Conversation, terms: Terms): Promise<Begun> {
  const greeted = await greet(conversation, terms);
  if (greeted.kind === 'failed') return greeted;
  const lacking = lacks(greeted.capabilities, terms.envelope);
  if (lacking !== null) return { kind: 'failed', reply: lacking };

  const [mail, ...recipients] = sayEnvelope(conversation, greeted.capabilities, terms);
  const sender = await mail?.();
  if (sender === undefined || sender.kind === 'broken') return { kind: 'failed', reply: brokenReply(sender) };
  if (!isPositive(sender.reply)) return { kind: 'failed', reply: refusal(sender.reply) };
  const replies: Reply[] = [];
  for (const recipient of recipients) {
    const said = await recipient();
    // A 421 is about the connection, not about the recipient it happened to answer (RFC 5321 §3.8).
    if (said.kind === 'broken' || said.reply.code === 421) return { kind: 'refused', reply: brokenReply(said) };
    if (!isPositive(said.reply) && said.reply.code < 400) return { kind: 'refused', reply: NEXT_HOP.confused };
    replies.push(said.reply);
  }
  if (!replies.every(isPositive)) return { kind: 'divided', replies };

  const data = await conversation.cmd('DATA', terms.deadlineMs);
  if (data.kind === 'broken') return { kind: 'refused', reply: brokenReply(data) };
  return data.reply.code === 354 ? { kind: 'ready' } : { kind: 'refused', reply: refusal(data.reply) };
}

type Greeted = Readonly<{ kind: 'greeted'; capabilities: Capabilities }> | Extract<Begun, { kind: 'failed' }>;

async function greet(
  conversation: Conversation,
  { envelope, protocol, hostname, selfNames, deadlineMs }: Terms,
): Promise<Greeted> {
  const greeting = await conversation.greeting(deadlineMs);
  if (greeting.kind === 'broken') return { kind: 'failed', reply: brokenReply(greeting) };
  if (!isPositive(greeting.reply)) return { kind: 'failed', reply: aboutUs(greeting.reply) };
  // An LMTP server of this very machine has our name and is no loop: we take no LMTP.
  const isLmtp = protocol === 'lmtp';
  if (!isLmtp && selfNames.has(greetedName(greeting.lines))) return { kind: 'failed', reply: NEXT_HOP.loop };

  const ehlo = await conversation.cmd(`${isLmtp ? 'LHLO' : 'EHLO'} ${hostname}`, deadlineMs);
  if (ehlo.kind === 'broken') return { kind: 'failed', reply: brokenReply(ehlo) };
  if (isPositive(ehlo.reply)) return { kind: 'greeted', capabilities: parseCapabilities(ehlo.lines) };
  const extended = envelope.smtpUtf8 || envelope.body === '8BITMIME';
  // RFC 2033 §4.1: LMTP has no HELO.
  if (ehlo.reply.code < 500 || extended || isLmtp) return { kind: 'failed', reply: aboutUs(ehlo.reply) };

  // RFC 5321 §3.2: a server without EHLO may still know HELO.
  const helo = await conversation.cmd(`HELO ${hostname}`, deadlineMs);
  if (helo.kind === 'broken') return { kind: 'failed', reply: brokenReply(helo) };
  if (!isPositive(helo.reply)) return { kind: 'failed', reply: aboutUs(helo.reply) };
  return { kind: 'greeted', capabilities: noCapabilities };
}

/** MAIL and the RCPTs: in one write where the server offers it (RFC 2920), else each when the one before it was answered. */
function sayEnvelope(
  conversation: Conversation,
  capabilities: Capabilities,
  { envelope, deadlineMs }: Terms,
): readonly (() => Promise<Said>)[] {
  const lines = [
    mailLine(envelope, capabilities),
    ...envelope.recipients.map((recipient) => `RCPT TO:<${recipient.address}>`),
  ];
  if (!capabilities.pipelining) return lines.map((line) => () => conversation.cmd(line, deadlineMs));
  return conversation.cmds(lines, deadlineMs).map((said) => () => said);
}

function mailLine({ sender, body, smtpUtf8, size }: Envelope, capabilities: Capabilities): string {
  const parameters = [
    ...(capabilities.size !== null && size !== null ? [`SIZE=${size}`] : []),
    ...(body === '8BITMIME' ? ['BODY=8BITMIME'] : []),
    ...(smtpUtf8 ? ['SMTPUTF8'] : []),
  ];
  return [`MAIL FROM:<${sender}>`, ...parameters].join(' ');
}

/** What the message uses and the server does not offer (SPEC 7.4). */
function lacks({ smtpUtf8, eightBitMime, size }: Capabilities, envelope: Envelope): Reply | null {
  if (envelope.smtpUtf8 && !smtpUtf8) return NEXT_HOP.noUtf8;
  if (envelope.body === '8BITMIME' && !eightBitMime) return NEXT_HOP.no8Bit;
  // RFC 1870 §4: 0 is no limit.
  const tooBig = size !== null && size > 0 && envelope.size !== null && envelope.size > size;
  return tooBig ? NEXT_HOP.tooBig : null;
}

/** A refusal as the sender may have it. A 421 is about the connection to us, not about the sender's; what is no refusal is no answer at all. */
export function refusal(reply: Reply): Reply {
  if (reply.code === 421) return { ...reply, code: 451 };
  return reply.code >= 400 ? reply : NEXT_HOP.confused;
}

/** A permanent no before MAIL is about us, never about the message: it must not bounce for that (SPEC 4.2). */
function aboutUs(reply: Reply): Reply {
  return reply.code >= 400 && reply.code < 500 ? refusal(reply) : NEXT_HOP.unwilling;
}

/** What a connection that broke, or was closed with a 421, comes to. What the server said as it went counts, but no yes that nobody asked for. */
export function brokenReply(said: Said | null | undefined): Reply {
  if (said === null || said === undefined) return NEXT_HOP.lost;
  if (said.reply !== null) return refusal(said.reply);
  return said.kind === 'broken' && said.cause === 'protocol' ? NEXT_HOP.confused : NEXT_HOP.lost;
}

export function isPositive(reply: Reply): boolean {
  return reply.code >= 200 && reply.code < 300;
}

function says(code: number, enhanced: string, text: string): Reply {
  return { code, enhanced, text };
}
