import {
  type Capabilities,
  type Conversation,
  isAboutUs,
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

/** How far a server went with a message. The conversation is usable, behind a RSET, where nothing is wrong with it. */
export type Begun =
  /** It said 354 to all of it. */
  | Readonly<{ kind: 'ready' }>
  /** The connection was gone before it said anything about the message. */
  | Readonly<{ kind: 'dead'; reply: Reply }>
  /** It is of no use for this message, another server may be. */
  | Readonly<{ kind: 'failed'; reply: Reply }>
  /** It knows the message and does not take it. */
  | Readonly<{ kind: 'refused'; reply: Reply }>
  /** It does not take it for all recipients: one reply each, in their order. */
  | Readonly<{ kind: 'divided'; replies: readonly Reply[] }>;

/** `conversation` is where MAIL may be said. */
export type Terms = Readonly<{
  conversation: Conversation;
  capabilities: Capabilities;
  /** By LMTP it has one recipient, for each would have a reply of its own to the end of data (SPEC 7.2, RFC 2033 §4.2). */
  envelope: Envelope;
  deadlineMs: number;
}>;

/** What is said about a next hop that gives no answer fit for the sender; codes as for a call-ahead that failed (SPEC 4.8). */
export const NEXT_HOP = {
  unreachable: says(451, '4.4.1', 'The next hop cannot be reached'),
  lost: says(451, '4.4.2', 'The connection to the next hop broke'),
  /** It may have the message nevertheless. */
  unanswered: says(451, '4.4.2', 'The next hop did not answer to the end of the message'),
  busy: says(451, '4.3.2', 'Too many messages for the next hop at once'),
  insecure: says(451, '4.7.5', 'No secure connection to the next hop can be had'),
  confused: says(451, '4.5.0', 'The next hop does not speak SMTP as expected'),
  unwilling: says(451, '4.5.0', 'The next hop does not talk to us'),
  // A configuration error that somebody will mend: the mail can wait for it (SPEC 4.8, 5.7).
  loop: says(451, '4.4.6', 'The next hop is this gateway'),
  divided: says(451, '4.3.0', 'Some recipients were refused, they are told so when the message is sent again'),
  noUtf8: says(553, '5.6.7', 'The next hop does not take internationalized messages'),
  no8Bit: says(554, '5.6.3', 'The next hop does not take 8-bit messages'),
  tooBig: says(552, '5.3.4', 'Message too big for the next hop'),
} as const satisfies Readonly<Record<string, Reply>>;

/** Takes a connection as far as 354. DATA is said only once every recipient is accepted: all or nothing (SPEC 7.3). */
export async function beginTransaction(terms: Terms): Promise<Begun> {
  const { conversation, capabilities, envelope, deadlineMs } = terms;
  const lacking = lacks(capabilities, envelope);
  if (lacking !== null) return { kind: 'failed', reply: lacking };

  const [mail, ...recipients] = sayEnvelope(terms);
  const said = await mail?.();
  const sender = answerIn(said);
  if (sender === null) return over(conversation, { kind: 'dead', reply: brokenReply(said) });
  // As before MAIL: no message must bounce for how we and the next hop are set up.
  if (isAboutUs(sender)) return { kind: 'failed', reply: NEXT_HOP.unwilling };
  if (!isPositive(sender)) return { kind: 'failed', reply: refusal(sender) };
  const replies: Reply[] = [];
  for (const recipient of recipients) {
    const heard = await recipient();
    const reply = answerIn(heard);
    if (reply === null) return over(conversation, { kind: 'refused', reply: brokenReply(heard) });
    if (!isPositive(reply) && reply.code < 400)
      return over(conversation, { kind: 'refused', reply: NEXT_HOP.confused });
    replies.push(reply);
  }
  if (!replies.every(isPositive)) return { kind: 'divided', replies };

  const data = await conversation.cmd('DATA', deadlineMs);
  const reply = answerIn(data);
  if (reply === null) return over(conversation, { kind: 'refused', reply: brokenReply(data) });
  if (reply.code === 354) return { kind: 'ready' };
  const refused: Begun = { kind: 'refused', reply: refusal(reply) };
  return reply.code < 400 ? over(conversation, refused) : refused;
}

/** null: there is none. A 421 is about the connection, not about what it happened to answer (RFC 5321 §3.8). */
function answerIn(said: Said | undefined): Reply | null {
  return said?.kind === 'reply' && said.reply.code !== 421 ? said.reply : null;
}

/** Nothing more can be said after what was said. */
function over(conversation: Conversation, begun: Begun): Begun {
  conversation.destroy();
  return begun;
}

/** MAIL and the RCPTs: in one write where the server offers it (RFC 2920), else each when the one before it was answered. */
function sayEnvelope({ conversation, capabilities, envelope, deadlineMs }: Terms): readonly (() => Promise<Said>)[] {
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
