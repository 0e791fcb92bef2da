/** Opens a connection to a server and brings it to where MAIL may be said. */
import {
  type Capabilities,
  type Cause,
  type Conversation,
  noCapabilities,
  type Place,
  type Probe,
  parseCapabilities,
  placesOf,
  type Reply,
  type Server,
} from '@callahead/core';
import { judgeServer } from './judge.ts';

/** Connects. Never rejects; `commandTimeoutMs` is the conversation's. */
export type Connect = (
  to: Place,
  times: Readonly<{ timeoutMs: number; commandTimeoutMs: number }>,
) => Promise<
  | Readonly<{ kind: 'open'; conversation: Conversation }>
  | Readonly<{ kind: 'failed'; cause: 'connect' | 'timeout' | 'no-route'; detail: string }>
>;

export type Open = Readonly<{
  kind: 'open';
  conversation: Conversation;
  /** `helo`: it refused EHLO. */
  hello: 'ehlo' | 'helo';
  capabilities: Capabilities;
  lines: readonly string[];
}>;

/** The server cannot be asked. Its connections are closed once `gone` settles. */
export type NotOpen = Readonly<{ lines: readonly string[]; gone: Promise<void> }> &
  (
    | Readonly<{ kind: 'temporary'; reply: Reply }>
    | Readonly<{ kind: 'failed'; cause: Cause; detail: string; during: 'dialing' | 'conversation' }>
  );

export type OpeningOptions = Readonly<{
  server: Server;
  probe: Probe;
  deadlineMs: number;
  connect: Connect;
  now: () => number;
}>;

const QUIT_TIMEOUT_MS = 1000;
const LINGER_MS = 20;

/** A server needs a moment to see that a connection is closed; only then another one may take its place. */
export function linger(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, LINGER_MS));
}

/** Tries the server's addresses in order, inside the deadline, which the untried ones share. */
export async function openServer({ server, probe, deadlineMs, connect, now }: OpeningOptions): Promise<Open | NotOpen> {
  const places = placesOf(server, probe.interface);
  let trouble: NotOpen = { ...notDialed('no-route', 'the server has no address'), during: 'conversation' };
  for (const [i, place] of places.entries()) {
    const untilMs = now() + (deadlineMs - now()) / (places.length - i);
    if (i > 0 && untilMs <= now()) break;
    // One loan, one connection: the last address lets go before the next one is tried.
    await trouble.gone;
    const opened = await openPlace(place, untilMs);
    if (opened.kind === 'open') return opened;
    trouble = worse(trouble, opened, i);
  }
  return trouble;

  async function openPlace(place: Place, untilMs: number): Promise<Open | NotOpen> {
    const timeoutMs = Math.max(1, Math.min(probe.connectTimeoutMs, untilMs - now()));
    const dialed = await connect(place, { timeoutMs, commandTimeoutMs: probe.commandTimeoutMs });
    if (dialed.kind === 'failed') {
      const trouble = notDialed(dialed.cause, `${nameOf(place)}: ${dialed.detail}`);
      // It was skipped: trying again changes nothing (SPEC 5.8).
      return dialed.cause === 'no-route' ? { ...trouble, during: 'conversation' } : trouble;
    }
    return greet(dialed.conversation, probe, untilMs);
  }
}

function nameOf(place: Place): string {
  return place.kind === 'tcp' ? place.address : `unix:${place.path}`;
}

/** The greeting, EHLO, and HELO where EHLO is refused (RFC 5321 §3.2). LMTP has LHLO and nothing else (RFC 2033 §4.1). */
async function greet(conversation: Conversation, probe: Probe, untilMs: number): Promise<Open | NotOpen> {
  const greeting = await conversation.greeting(untilMs);
  if (greeting.kind === 'broken') return broken(greeting);
  const refusal = judgeServer('greeting', greeting.reply);
  if (refusal !== null) return refused(refusal);
  const name = greeting.lines[0]?.trim().split(/\s/)[0]?.toLowerCase().replace(/\.$/, '') ?? '';
  // The mailboxes behind an LMTP server of this very machine are no loop, though it has our name: we speak no LMTP (SPEC 5.7 is about SMTP).
  const isLmtp = probe.protocol === 'lmtp';
  if (!isLmtp && probe.selfNames.includes(name)) {
    return refused({ kind: 'failed', cause: 'loop', detail: `the server greets with our own name, ${name}` });
  }
  const ehlo = await conversation.cmd(`${isLmtp ? 'LHLO' : 'EHLO'} ${probe.heloName}`, untilMs);
  if (ehlo.kind === 'broken') return broken(ehlo);
  const noEhlo = judgeServer('hello', ehlo.reply);
  if (noEhlo === null) return open('ehlo', parseCapabilities(ehlo.lines));
  if (noEhlo.kind === 'temporary' || ehlo.reply.code < 500 || isLmtp) return refused(noEhlo);
  const helo = await conversation.cmd(`HELO ${probe.heloName}`, untilMs);
  if (helo.kind === 'broken') return broken(helo);
  const noHelo = judgeServer('hello', helo.reply);
  return noHelo === null ? open('helo', noCapabilities) : refused(noHelo);

  function open(hello: 'ehlo' | 'helo', capabilities: Capabilities): Open | NotOpen {
    const why = conversation.broken();
    if (why !== null) return broken(why);
    return { kind: 'open', conversation, hello, capabilities, lines: conversation.transcript() };
  }

  function broken({ cause, detail, reply }: Readonly<{ cause: Cause; detail: string; reply: Reply | null }>): NotOpen {
    const lines = conversation.transcript();
    const gone = conversation.closed.then(linger);
    // A 421 that nobody asked for is what the server says before it goes.
    if (reply?.code === 421) return { kind: 'temporary', reply, lines, gone };
    return { kind: 'failed', cause, detail, during: 'conversation', lines, gone };
  }

  function refused(why: NonNullable<ReturnType<typeof judgeServer>>): NotOpen {
    const lines = conversation.transcript();
    const gone = conversation
      .quit(QUIT_TIMEOUT_MS)
      .then(() => conversation.closed)
      .then(linger);
    return why.kind === 'temporary' ? { ...why, lines, gone } : { ...why, during: 'conversation', lines, gone };
  }
}

function notDialed(cause: Cause, detail: string): Extract<NotOpen, { kind: 'failed' }> {
  const lines = [`-- ${detail}`];
  return { kind: 'failed', cause, detail, during: 'dialing', lines, gone: Promise.resolve() };
}

/** Of two addresses' trouble the one that says more: a 4xx over a failure, words over silence. A loop is no trouble but a reason to skip, and so is an address that we cannot connect to from where we must. */
function worse(before: NotOpen, latest: NotOpen, i: number): NotOpen {
  if (i === 0) return latest;
  const lines = [...before.lines, ...latest.lines];
  return { ...(weight(before) > weight(latest) ? before : latest), lines, gone: latest.gone };
}

function weight(trouble: NotOpen): number {
  if (trouble.kind === 'temporary') return 3;
  if (trouble.cause === 'loop' || trouble.cause === 'no-route') return 0;
  return trouble.during === 'conversation' ? 2 : 1;
}
