import {
  type Client,
  type Emit,
  type ListenerSettings,
  parseRecipient,
  parseSender,
  printReply,
  type Reply,
} from '@callahead/core';
import type { Gate, Ticket } from '../gate.ts';
import { openTransaction, type Transaction } from '../incoming.ts';
import type { Answer, Place, Replies } from '../replies.ts';
import { SAYS } from '../texts.ts';
import type { Encryption } from './handshake.ts';
import { ANSWERED, last, mistake, type Next, type Outcome, refusal, type Said, say } from './outcome.ts';
import { parsePathArgument, readMailParameters } from './parameters.ts';
import { misaddressedEvent, recipientEvent } from './recipient-event.ts';
import { BEFORE_TLS, isNoSmtp, NOT_IMPLEMENTED } from './verbs.ts';

/** How the client introduced itself. */
export type Hello = Readonly<{ verb: 'HELO' | 'EHLO'; name: string }>;

export type Commands = Readonly<{
  /** Obeys one command line. Returns what comes next where that is no command: a message after DATA, TLS after STARTTLS. */
  obey(line: string): Next | null;
  /** Answers what is no command, and counts it. */
  fault(reply: Reply): void;
  transaction(): Transaction | null;
  hello(): Hello | null;
  endTransaction(): void;
  /** Answers a DATA of which no message comes. */
  refuseData(reply: Reply): void;
  /** The client has to introduce itself anew. */
  forget(): void;
}>;

export type CommandsOptions = Readonly<{
  session: string;
  /** Known before the first command. */
  client: () => Client;
  settings: ListenerSettings;
  hostname: string;
  gate: Gate;
  replies: Replies;
  /** How the client is encrypted by now; null: not at all. */
  encryption: () => Encryption | null;
  emit: Emit;
}>;

/** Commands of a session that bring no message nearer. */
const MAX_IDLE_COMMANDS = 100;

/** The commands of one session, and what they leave behind: how the client is called, its transaction, its mistakes. */
export function createCommands({
  session,
  client,
  settings,
  hostname,
  gate,
  replies,
  encryption,
  emit,
}: CommandsOptions): Commands {
  const { limits } = settings;
  let hello: Hello | null = null;
  let transaction: Transaction | null = null;
  let faults = 0;
  let idleCommands = 0;
  let dataRefused = false;
  let messages = 0;

  function obey(line: string): Next | null {
    const outcome = outcomeOf(line);
    switch (outcome.kind) {
      case 'say':
      case 'fault':
      case 'last':
        replies.inTurn(() => answerTo(outcome));
        return null;
      case 'answered':
        return null;
      case 'message':
        return outcome;
      case 'secure':
        replies.say(SAYS.readyForTls);
        return outcome;
    }
  }

  function answerTo({ kind, reply }: Said): Answer {
    if (kind === 'fault') faults++;
    return faults > limits.syntaxErrors ? TOO_MANY_FAULTS : { reply, hangUp: kind === 'last' };
  }

  function outcomeOf(line: string): Outcome {
    const space = line.indexOf(' ');
    const verb = (space < 0 ? line : line.slice(0, space)).toUpperCase();
    const argument = space < 0 ? '' : line.slice(space + 1);
    const behindData = dataRefused;
    dataRefused = false;
    // RFC 5321 §3.1: after a 554 in place of the greeting the client may say QUIT.
    if (client().admission.policy.action === 'reject' && verb !== 'QUIT') return mistake(SAYS.onlyQuit);
    if (needsTls() && !BEFORE_TLS.has(verb)) return tlsFirst(line);
    switch (verb) {
      case 'RCPT':
        return rcpt(argument);
      case 'MAIL':
        return mail(argument);
      case 'DATA':
        return dataOutcome(argument);
      case 'EHLO':
      case 'HELO':
        return greet(verb, argument.trim());
      case 'RSET':
        return reset(argument);
      case 'NOOP':
        idleCommands++;
        return idle(say(SAYS.ok));
      case 'VRFY':
        return verify(argument);
      case 'STARTTLS':
        return startTls(argument);
      case 'QUIT':
        return last(SAYS.bye);
      default:
        // A browser that was led here must not get a second line obeyed.
        if (isNoSmtp(line)) return last(SAYS.notSmtp);
        // The message, of a client that did not wait for our 354.
        if (behindData) return last(SAYS.outOfStep);
        return mistake(NOT_IMPLEMENTED.has(verb) ? SAYS.notImplemented : SAYS.unknownCommand);
    }
  }

  /** For what a client can do for ever without ever sending a message. */
  function idle(outcome: Said): Said {
    return idleCommands > MAX_IDLE_COMMANDS ? last(SAYS.tooManyIdleCommands) : outcome;
  }

  /** Of what was understood: no mistake, but nothing to go on with for ever either. */
  function refuse(reply: Reply): Said {
    const outcome = refusal(reply);
    if (outcome.kind !== 'say') return outcome;
    idleCommands++;
    return idle(outcome);
  }

  function reset(argument: string): Outcome {
    if (argument.trim() !== '') return mistake(SAYS.badSyntax);
    if (transaction === null || transaction.accepted === 0) idleCommands++;
    transaction = null;
    return idle(say(SAYS.ok));
  }

  /** RFC 5321 §7.3: whoever does not tell by VRFY who exists says 252 to everybody, a code that is neither a yes nor a no. */
  function verify(argument: string): Outcome {
    if (argument.trim() === '') return mistake(SAYS.badSyntax);
    idleCommands++;
    return idle(say(SAYS.notVerified));
  }

  /** A policy is about fewer clients than its listener: where it says off, the listener asks for nothing. */
  function needsTls(): boolean {
    const { tls } = client().admission.policy;
    return encryption() === null && (tls === 'required' || (settings.tls?.mode === 'required' && tls !== 'off'));
  }

  function offersTls(): boolean {
    return encryption() === null && settings.tls !== null && client().admission.policy.tls !== 'off';
  }

  function tlsFirst(line: string): Outcome {
    if (isNoSmtp(line)) return last(SAYS.notSmtp);
    idleCommands++;
    return idle(say(SAYS.tlsFirst));
  }

  function startTls(argument: string): Outcome {
    if (encryption() !== null) return mistake(SAYS.tlsAlready);
    if (!offersTls()) return mistake(SAYS.notImplemented);
    // RFC 3207 §4: it has no parameters.
    return argument.trim() === '' ? { kind: 'secure' } : mistake(SAYS.badSyntax);
  }

  function greet(verb: Hello['verb'], name: string): Outcome {
    // RFC 5321 §4.1.4 forbids refusing a name for what it means; what is no word at all has no place in a Received line.
    if (!/^[!-~]{1,255}$/.test(name)) return mistake(SAYS.badHelloName);
    idleCommands++;
    hello = { verb, name };
    transaction = null;
    const keywords = verb === 'EHLO' ? capabilities(limits.messageSize, offersTls()) : [];
    return idle({ kind: 'say', reply: { code: 250, enhanced: null, text: hostname, more: keywords } });
  }

  function mail(argument: string): Outcome {
    if (hello === null) return mistake(SAYS.helloFirst);
    if (transaction !== null) return mistake(SAYS.mailAgain);
    const parsed = argument.slice(0, 5).toUpperCase() === 'FROM:' ? parsePathArgument(argument.slice(5)) : null;
    if (parsed === null) return mistake(SAYS.badSyntax);
    const declared = readMailParameters(parsed.parameters, limits.messageSize);
    if ('code' in declared) return refuse(declared);
    const from = parseSender(parsed.path, declared);
    if (from.kind === 'bad') return refuse(from.reply);
    const sender = from.kind === 'null' ? '' : from.sender.address;
    const { group, policy } = client().admission;
    if (messages >= (policy.maxMessagesPerConnection ?? Number.POSITIVE_INFINITY)) return tooMany(group, policy.name);
    messages++;
    transaction = openTransaction(client(), { sender, ...declared });
    return say(SAYS.senderOk);
  }

  function tooMany(group: string, policy: string): Outcome {
    const reply = SAYS.tooManyMessages;
    emit({ event: 'session.refused', ...about(), group, policy, code: reply.code, reason: 'messages' });
    return last(reply);
  }

  function rcpt(argument: string): Outcome {
    if (transaction === null) return mistake(hello === null ? SAYS.helloFirst : SAYS.mailFirst);
    const parsed = argument.slice(0, 3).toUpperCase() === 'TO:' ? parsePathArgument(argument.slice(3)) : null;
    if (parsed === null) return misaddressed(argument, SAYS.badSyntax, 'syntax');
    if (parsed.parameters.length > 0) return misaddressed(parsed.path, SAYS.unknownParameter, 'parameter');
    const to = parseRecipient(parsed.path, transaction);
    if (to.kind === 'bad') return misaddressed(parsed.path, to.reply, 'syntax');

    const current = transaction;
    let place: Place | null = null;
    const ready = (): void => {
      if (place !== null) replies.fill(place);
    };
    const options = { recorder: null, ready };
    const ticket =
      to.kind === 'ok' ? gate.begin(to.recipient, current, options) : gate.beginPostmaster(current, options);
    const settle = (): Answer => settled(ticket, current);
    if (ticket.outstanding === 0) replies.inTurn(settle);
    else place = replies.keep(ticket.deadlineMs, settle);
    return ANSWERED;
  }

  function misaddressed(written: string, reply: Reply, reason: 'syntax' | 'parameter'): Outcome {
    const said = refuse(reply);
    replies.inTurn(() => {
      const answer = answerTo(said);
      emit(misaddressedEvent(about(), written, answer.reply, reason));
      return answer;
    });
    return ANSWERED;
  }

  function settled(ticket: Ticket, current: Transaction): Answer {
    const decision = gate.settle(ticket, current, session);
    if (decision.kind === 'accept') idleCommands = 0;
    emit(recipientEvent(about(), ticket, decision));
    return { reply: decision.reply, hangUp: decision.kind === 'reject' && decision.disconnect };
  }

  function dataOutcome(argument: string): Outcome {
    const outcome = data(argument);
    dataRefused = outcome.kind !== 'message';
    return outcome;
  }

  function data(argument: string): Outcome {
    if (argument.trim() !== '') return mistake(SAYS.badSyntax);
    if (transaction === null) return mistake(hello === null ? SAYS.helloFirst : SAYS.mailFirst);
    if (transaction.accepted === 0) return refuse(SAYS.noRecipients);
    if (transaction.stopped !== null) return stop(transaction, transaction.stopped);
    if (settings.relay) return { kind: 'message', transaction };
    transaction = null;
    return say(SAYS.noDelivery);
  }

  /** What was accepted before is not delivered: that no mail is lost the sender is told so now. */
  function stop({ recipients }: Transaction, reply: Reply): Outcome {
    transaction = null;
    const facts = { ...about(), recipients: recipients.length, bytes: 0 };
    emit({ event: 'message.refused', ...facts, server: '', reply: printReply(reply), reason: 'dhap' });
    return say(reply);
  }

  function about(): Readonly<{ session: string; listener: string; client: string }> {
    return { session, listener: settings.name, client: client().address };
  }

  return {
    obey,
    fault: (reply) => replies.inTurn(() => answerTo(mistake(reply))),
    transaction: () => transaction,
    hello: () => hello,
    endTransaction() {
      transaction = null;
    },
    refuseData(reply) {
      transaction = null;
      dataRefused = true;
      replies.say(reply);
    },
    forget() {
      hello = null;
      transaction = null;
    },
  };
}

const TOO_MANY_FAULTS: Answer = { reply: SAYS.tooManyErrors, hangUp: true };

function capabilities(messageSize: number, tls: boolean): readonly string[] {
  const always = ['PIPELINING', `SIZE ${messageSize}`, '8BITMIME', 'SMTPUTF8', 'ENHANCEDSTATUSCODES'];
  return tls ? [...always, 'STARTTLS'] : always;
}
