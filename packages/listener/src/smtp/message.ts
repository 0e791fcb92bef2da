import { type Emit, type ListenerSettings, printReply, type Recipient, type Reply } from '@callahead/core';
import { answerMessage } from '../answer.ts';
import type { Delivery } from '../delivery.ts';
import type { Transaction } from '../incoming.ts';
import { receivedLine } from '../received.ts';
import type { Opened, Relay } from '../relay.ts';
import { SAYS } from '../texts.ts';
import { isPositive, NEXT_HOP } from '../transaction.ts';
import type { Hello } from './commands.ts';
import { createDataScanner } from './data.ts';
import type { Encryption } from './handshake.ts';

/** What became of some octets of the message. `ready` resolves when the next hop takes more. */
type Taken =
  | Readonly<{ kind: 'more'; ready: Promise<unknown> | null }>
  | Readonly<{ kind: 'end'; rest: Buffer | null }>
  /** So much came after it was too big that its end is not waited for. */
  | Readonly<{ kind: 'overrun' }>;

/** One message between 354 and the reply to its end. */
export type Message = Readonly<{
  /** Octets as they came, still dot-stuffed. */
  take(chunk: Buffer): Taken;
  /** After `end`: the reply to the client. It is positive only after the next hop's own (SPEC 7.1). */
  finish(): Promise<Reply>;
  /** The client is gone, or nothing more is taken from it: the next hop must not see an end of data. */
  abort(): void;
  /** The client is gone behind the end of the message: what the next hop says then is told to nobody. */
  leave(): void;
}>;

export type OpenedMessage = Readonly<{ kind: 'open'; message: Message }> | Readonly<{ kind: 'refused'; reply: Reply }>;

export type MessageOptions = Readonly<{
  session: string;
  /** Names the message in the log, in its Received line and to the client. */
  id: string;
  client: string;
  encryption: Encryption | null;
  hello: Hello;
  settings: ListenerSettings;
  hostname: string;
  relay: Pick<Relay, 'open'>;
  emit: Emit;
  /** Milliseconds of the wall clock. */
  wallMs: number;
  /** The client is gone before the next hop has said 354. */
  signal: AbortSignal;
}>;

/** At so many hops a message is in a loop (SPEC 7.4, RFC 5321 §6.3). */
const MAX_HOPS = 100;

/** Opens the delivery of a transaction, before our 354: what the next hop says against it is the reply to DATA (SPEC 7.1). */
export async function openMessage(transaction: Transaction, options: MessageOptions): Promise<OpenedMessage> {
  const { emit } = options;
  const { route, recipients, sender, body, smtpUtf8, size } = transaction;
  if (route === null) return { kind: 'open', message: createMessage(transaction, null, options) };
  const opened: Opened = await options.relay.open({ sender, body, smtpUtf8, size, recipients }, route, options.signal);
  if (opened.kind === 'open') {
    return { kind: 'open', message: createMessage(transaction, opened.delivery, options) };
  }
  const { reply, server } = opened;
  const facts = { ...about(options), recipients: recipients.length, bytes: 0, server };
  emit({ event: 'message.refused', ...facts, reply: printReply(reply), reason: 'delivery' });
  return { kind: 'refused', reply: told(reply, options) };
}

function createMessage(transaction: Transaction, delivery: Delivery | null, options: MessageOptions): Message {
  const { settings, emit } = options;
  const { messageSize } = settings.limits;
  const scanner = createDataScanner({ bareNewline: settings.bareNewline, maxSize: messageSize, maxHops: MAX_HOPS });
  let violation: Reply | null = null;
  let octets = 0;
  let left = false;
  let open = delivery;
  // The first octets are below any mark at which a next hop asks to wait.
  void open?.write(Buffer.from(received(transaction.named, transaction.smtpUtf8, options)));

  function take(chunk: Buffer): Taken {
    const scanned = scanner.push(chunk);
    octets += chunk.length - (scanned.rest?.length ?? 0);
    if (scanned.violation !== null && violation === null) {
      violation = scanned.violation;
      abort();
    }
    const ready = pass(scanned.pass);
    if (scanned.end) return { kind: 'end', rest: scanned.rest };
    return octets > 2 * messageSize + SLACK_OCTETS ? { kind: 'overrun' } : { kind: 'more', ready };
  }

  function pass(pieces: readonly Buffer[]): Promise<unknown> | null {
    if (open === null) return null;
    let ready: Promise<unknown> | null = null;
    for (const piece of pieces) ready = open.write(piece) ?? ready;
    return ready;
  }

  async function finish(): Promise<Reply> {
    const facts = { ...about(options), recipients: transaction.accepted, bytes: octets };
    if (violation !== null) {
      const reply = printReply(violation);
      emit({ event: 'message.refused', ...facts, server: delivery?.server ?? '', reply, reason: 'content' });
      return violation;
    }
    if (open === null) {
      emit({ event: 'message.discarded', ...facts });
      return told(SAYS.ok, options);
    }
    const { server } = open;
    const said = await open.finish();
    open = null;
    const reply = printReply(said);
    const relayed = transaction.recipients.length;
    if (isPositive(said) && left) {
      emit({ event: 'message.unacknowledged', ...facts, recipients: relayed, server, reply });
    } else if (isPositive(said)) {
      emit({ event: 'message.relayed', ...facts, recipients: relayed, server, reply });
      // What goes to /dev/null travels with what goes elsewhere (SPEC 7.2), and is as much a fact.
      const discarded = transaction.accepted - relayed;
      if (discarded > 0) emit({ event: 'message.discarded', ...facts, recipients: discarded });
    } else {
      const reason = said === NEXT_HOP.unanswered ? 'unanswered' : 'delivery';
      emit({ event: 'message.refused', ...facts, server, reply, reason });
    }
    return told(said, options);
  }

  function abort(): void {
    open?.abort();
    open = null;
  }

  function leave(): void {
    left = true;
  }

  return { take, finish, abort, leave };
}

/** What a message that is refused already may bring before its end is no longer waited for, besides its size limit. */
const SLACK_OCTETS = 64 * 1024;

function received(recipients: readonly Recipient[], smtpUtf8: boolean, options: MessageOptions): string {
  const { hello, client, encryption, hostname, id, wallMs } = options;
  return receivedLine({
    helo: hello.name,
    clientAddress: client,
    hostname,
    extended: hello.verb === 'EHLO',
    encryption,
    smtpUtf8,
    id,
    recipients,
    receivedAtMs: wallMs,
  });
}

function about({ session, settings, client }: MessageOptions): { session: string; listener: string; client: string } {
  return { session, listener: settings.name, client };
}

/** What a next hop says is shown where the profile shows what its servers say; what we say ourselves names nobody. */
function told(said: Reply, { settings, id }: MessageOptions): Reply {
  return OURS.has(said) ? said : answerMessage(said, settings.profile?.actions.serverReply ?? 'mask', id);
}

const OURS: ReadonlySet<Reply> = new Set(Object.values(NEXT_HOP));
