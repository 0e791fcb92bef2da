/** The first words with a server. */
import {
  type Capabilities,
  type Conversation,
  greetedName,
  noCapabilities,
  type Probe,
  parseCapabilities,
} from '@callahead/core';
import { judgeServer } from './judge.ts';
import { broken, type NotOpen, refused } from './not-open.ts';

/** We have been introduced. `helo`: it refused EHLO. */
export type Greeted = Readonly<{
  kind: 'greeted';
  conversation: Conversation;
  hello: 'ehlo' | 'helo';
  capabilities: Capabilities;
}>;

/** The greeting, EHLO, and HELO where EHLO is refused (RFC 5321 §3.2). LMTP has LHLO and nothing else (RFC 2033 §4.1). */
export async function greet(conversation: Conversation, probe: Probe, untilMs: number): Promise<Greeted | NotOpen> {
  const greeting = await conversation.greeting(untilMs);
  if (greeting.kind === 'broken') return broken(conversation, greeting);
  const refusal = judgeServer('greeting', greeting.reply);
  if (refusal !== null) return refused(conversation, refusal);
  const name = greetedName(greeting.lines);
  // The mailboxes behind an LMTP server of this very machine are no loop, though it has our name: we speak no LMTP (SPEC 5.7 is about SMTP).
  const isLmtp = probe.protocol === 'lmtp';
  if (!isLmtp && probe.selfNames.includes(name)) {
    const detail = `the server greets with our own name, ${name}`;
    return refused(conversation, { kind: 'failed', cause: 'loop', detail });
  }
  // HELO leads to no STARTTLS (SPEC 4.2).
  return sayHello(conversation, probe, untilMs, isLmtp || probe.tls?.mode === 'required' ? 'no-helo' : 'or-helo');
}

/** EHLO, or LHLO, and if need be HELO. */
export async function sayHello(
  conversation: Conversation,
  probe: Probe,
  untilMs: number,
  otherwise: 'or-helo' | 'no-helo',
): Promise<Greeted | NotOpen> {
  const ehlo = await conversation.cmd(`${probe.protocol === 'lmtp' ? 'LHLO' : 'EHLO'} ${probe.heloName}`, untilMs);
  if (ehlo.kind === 'broken') return broken(conversation, ehlo);
  const noEhlo = judgeServer('hello', ehlo.reply);
  if (noEhlo === null)
    return { kind: 'greeted', conversation, hello: 'ehlo', capabilities: parseCapabilities(ehlo.lines) };
  if (noEhlo.kind === 'temporary' || ehlo.reply.code < 500 || otherwise === 'no-helo')
    return refused(conversation, noEhlo);
  const helo = await conversation.cmd(`HELO ${probe.heloName}`, untilMs);
  if (helo.kind === 'broken') return broken(conversation, helo);
  const noHelo = judgeServer('hello', helo.reply);
  if (noHelo !== null) return refused(conversation, noHelo);
  return { kind: 'greeted', conversation, hello: 'helo', capabilities: noCapabilities };
}
