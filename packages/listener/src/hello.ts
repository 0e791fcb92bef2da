import {
  type Capabilities,
  type Conversation,
  greetedName,
  noCapabilities,
  type Protocol,
  parseCapabilities,
  type Reply,
  type ServerTls,
  startTls,
} from '@callahead/core';
import { brokenReply, isPositive, NEXT_HOP, refusal } from './transaction.ts';

/** Where MAIL may be said, or why it may not; `insecure`: TLS that is optional broke, and the server may be tried without on a new connection. */
export type Met =
  | Readonly<{ kind: 'met'; conversation: Conversation; capabilities: Capabilities }>
  | Readonly<{ kind: 'failed'; reply: Reply }>
  | Readonly<{ kind: 'insecure' }>;

export type HelloOptions = Readonly<{
  protocol: Protocol;
  hostname: string;
  /** Lower case; a server that greets with one of them is us (SPEC 5.7). */
  selfNames: ReadonlySet<string>;
  /** The message needs what only EHLO offers. */
  extended: boolean;
  /** null: none. */
  tls: ServerTls | null;
  /** What led to the address, and must be in its certificate. */
  name: string;
  deadlineMs: number;
  commandTimeoutMs: number;
  now: () => number;
}>;

/** Waits for the greeting of a next hop, introduces us, and has the conversation encrypted as far as `tls` wants it (SPEC 9.1). */
export async function meet(plain: Conversation, options: HelloOptions): Promise<Met> {
  const { protocol, selfNames, tls, deadlineMs } = options;
  const greeting = await plain.greeting(deadlineMs);
  if (greeting.kind === 'broken') return failed(brokenReply(greeting));
  if (!isPositive(greeting.reply)) return failed(aboutUs(greeting.reply));
  // An LMTP server of this very machine has our name and is no loop: we take no LMTP.
  if (protocol !== 'lmtp' && selfNames.has(greetedName(greeting.lines))) return failed(NEXT_HOP.loop);
  const met = await introduce(plain, options, !options.extended && tls?.mode !== 'required');
  return met.kind === 'met' && tls !== null ? encrypt(met, tls, options) : met;
}

async function introduce(conversation: Conversation, options: HelloOptions, mayHelo: boolean): Promise<Met> {
  const { protocol, hostname, deadlineMs } = options;
  const isLmtp = protocol === 'lmtp';
  const ehlo = await conversation.cmd(`${isLmtp ? 'LHLO' : 'EHLO'} ${hostname}`, deadlineMs);
  if (ehlo.kind === 'broken') return failed(brokenReply(ehlo));
  if (isPositive(ehlo.reply)) return { kind: 'met', conversation, capabilities: parseCapabilities(ehlo.lines) };
  // RFC 2033 §4.1: LMTP has no HELO.
  if (ehlo.reply.code < 500 || !mayHelo || isLmtp) return failed(aboutUs(ehlo.reply));

  // RFC 5321 §3.2: a server without EHLO may still know HELO.
  const helo = await conversation.cmd(`HELO ${hostname}`, deadlineMs);
  if (helo.kind === 'broken') return failed(brokenReply(helo));
  if (!isPositive(helo.reply)) return failed(aboutUs(helo.reply));
  return { kind: 'met', conversation, capabilities: noCapabilities };
}

async function encrypt(plain: Extract<Met, { kind: 'met' }>, tls: ServerTls, options: HelloOptions): Promise<Met> {
  const { name, deadlineMs, commandTimeoutMs, now } = options;
  const isOptional = tls.mode === 'optional';
  const without: Met = isOptional ? plain : failed(NEXT_HOP.insecure);
  const broke: Met = isOptional ? { kind: 'insecure' } : failed(NEXT_HOP.insecure);
  if (!plain.capabilities.startTls) return without;
  // Time is left for plain text.
  const shareMs = (deadlineMs - now()) / (isOptional ? 2 : 1);
  const untilMs = now() + Math.min(shareMs, commandTimeoutMs);
  const secured = await startTls(plain.conversation, { tls, name, deadlineMs: untilMs, now, commandTimeoutMs });
  switch (secured.kind) {
    case 'broken':
    case 'failed':
      return broke;
    case 'refused':
      // It does not say no, it says goodbye (RFC 5321 §3.8).
      return secured.reply.code === 421 ? failed(refusal(secured.reply)) : without;
    case 'secure': {
      // What it said before counts no more, and over TLS it knows EHLO (RFC 3207 §4.2).
      const again = await introduce(secured.conversation, options, false);
      // Over TLS 1.3 a server that wants a certificate says so when our half of the handshake is done (RFC 8446 §4.4.2.4).
      return again.kind === 'met' || secured.conversation.usable() ? again : broke;
    }
  }
}

/** A permanent no before MAIL is about us, never about the message: it must not bounce for that (SPEC 4.2). */
function aboutUs(reply: Reply): Reply {
  return reply.code >= 400 && reply.code < 500 ? refusal(reply) : NEXT_HOP.unwilling;
}

function failed(reply: Reply): Met {
  return { kind: 'failed', reply };
}
