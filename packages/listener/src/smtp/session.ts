import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Emit, EVERYBODY, type ListenerSettings } from '@callahead/core';
import type { Gate } from '../gate.ts';
import type { Transaction } from '../incoming.ts';
import type { Relay } from '../relay.ts';
import { createReplies } from '../replies.ts';
import { SAYS } from '../texts.ts';
import { createCommands } from './commands.ts';
import { createAlarm, createDeadlines } from './deadlines.ts';
import { createLines, type Line } from './lines.ts';
import { type Message, openMessage } from './message.ts';
import type { Phase } from './phase.ts';
import type { Reception, Visit } from './reception.ts';
import type { Turns } from './turns.ts';
import { endsGroup, isRcpt } from './verbs.ts';
import type { Session, Wire } from './wire.ts';

export type SessionOptions = Readonly<{
  id: string;
  settings: ListenerSettings;
  hostname: string;
  gate: Gate;
  reception: Reception;
  relay: Pick<Relay, 'open'>;
  turns: Turns;
  emit: Emit;
  now: () => number;
}>;

/** SPEC 9.3. */
const MAX_COMMAND_OCTETS = 2048;
const GREETING_DELAY_MS = 100;
/** After so many commands in a row other sessions have their turn: a MAIL with its hundred recipients is asked about in one packet. */
const COMMANDS_IN_A_ROW = 200;

export function createSession(options: SessionOptions, wire: Wire): Session {
  const { id, settings, turns, now } = options;
  const { limits, bareNewline } = settings;
  let phase: Phase = { kind: 'greeting' };
  let held: Line | null = null;
  let more: (() => void) | null = null;
  let running = false;
  let again = false;
  let stalled = false;
  let draining = false;
  let messages = 0;

  /** Nobody in particular until it is known who came. */
  let visit: Visit = { client: { address: wire.client, admission: EVERYBODY }, greeting: null, leave: () => {} };
  const lines = createLines({ bareNewline, maxLength: MAX_COMMAND_OCTETS });
  const replies = createReplies({ now, write: wire.write, written: run, hungUp: close });
  const commands = createCommands({
    ...options,
    session: id,
    client: () => visit.client,
    replies,
    encryption: wire.encryption,
  });
  const alarm = createAlarm(now, () => replies.hangUp(SAYS.tooSlow));
  const deadlines = createDeadlines({ limits, now, alarm });
  // A busy moment must not hide who talks too soon: what has come by now is read before the greeting.
  const greeting = createAlarm(now, () => void setImmediate(greet));

  /** Who the client is and how long it can wait is found out at the same time. */
  async function enter(): Promise<void> {
    const greetMs = now() + GREETING_DELAY_MS;
    deadlines.awaitUs();
    const admitting = options.reception.admit(wire.client);
    if (admitting instanceof Promise) visit = options.reception.detain(id, wire.client);
    if (visit.greeting !== null) return greeting.set(greetMs);
    const admission = await admitting;
    if (phase.kind === 'closed') return;
    visit.leave();
    visit = options.reception.receive(id, { address: wire.client, admission });
    if (visit.greeting === null) close();
    else greeting.set(greetMs);
  }

  function greet(): void {
    const { greeting: answer } = visit;
    if (phase.kind !== 'greeting' || answer === null) return;
    phase = { kind: 'commands' };
    if (answer.hangUp) replies.sayLast(answer.reply);
    else replies.say(answer.reply);
    run();
  }

  function receive(chunk: Buffer, next: () => void): void {
    more = next;
    switch (phase.kind) {
      case 'closed':
        wantMore();
        break;
      case 'greeting':
        replies.hangUp(SAYS.talksTooSoon);
        break;
      case 'listening':
      case 'securing':
      case 'opening':
        replies.hangUp(SAYS.outOfStep);
        break;
      case 'commands':
      case 'finishing':
        lines.push(chunk);
        run();
        break;
      case 'message':
        feed(phase.message, chunk);
        break;
    }
  }

  function wantMore(): void {
    const next = more;
    more = null;
    next?.();
  }

  /** Obeys what can be obeyed now, and says whose turn it is. Called whenever that may have changed. */
  function run(): void {
    // Asking for more may bring it at once, and so lead back here.
    again = true;
    if (running) return;
    if (!turns.free()) {
      turns.wait(run, commands.hello() !== null);
      return;
    }
    running = true;
    let obeyed = 0;
    for (; phase.kind === 'commands' && again; obeyed++) {
      if (obeyed === COMMANDS_IN_A_ROW) {
        turns.wait(run, commands.hello() !== null);
        break;
      }
      again = false;
      if (step()) again = true;
    }
    turns.spend(obeyed);
    running = false;
  }

  /** Obeys one line; false when there is none to obey now. */
  function step(): boolean {
    const unanswered = replies.waiting();
    if (draining && unanswered === 0 && commands.transaction() === null) {
      replies.hangUp(SAYS.shuttingDown);
      return false;
    }
    // TCP pushes back on a client that does not read what it is told, or asks faster than it is answered (SPEC 8.4).
    if (wire.backlogged()) return waitForReader();
    if (unanswered >= limits.lookAhead) return waitForUs();
    const line = held ?? lines.next();
    if (line === null) return waitForClient(unanswered);
    deadlines.awaitUs();
    // Only RCPTs are looked ahead to: everything else depends on what became of them (SPEC 3.3).
    const rcpt = line.kind === 'line' && isRcpt(line.text);
    held = unanswered > 0 && !rcpt ? line : null;
    if (held !== null) return false;
    if (rcpt) command(line.text);
    else obey(line);
    return true;
  }

  function obey(line: Line): void {
    switch (line.kind) {
      case 'bare':
        replies.sayLast(SAYS.bareNewline);
        break;
      case 'endless':
        replies.sayLast(SAYS.endlessLine);
        break;
      case 'handshake':
        replies.sayLast(SAYS.notSmtp);
        break;
      case 'long':
        commands.fault(SAYS.lineTooLong);
        break;
      case 'line':
        if (!endsGroup(line.text)) command(line.text);
        else if (lines.pending()) replies.sayLast(SAYS.outOfStep);
        else void listen(line.text); // the phase says that it goes on
        break;
    }
  }

  /** What the client sent while the line waited for its turn is still unread: it is looked for before the line is obeyed. */
  async function listen(text: string): Promise<void> {
    phase = { kind: 'listening' };
    wantMore();
    // What has come is read in the turn of the event loop after the one that asks for it.
    await nextTurn();
    await nextTurn();
    if (phase.kind !== 'listening') return;
    phase = { kind: 'commands' };
    command(text);
    run();
  }

  function command(text: string): void {
    const next = commands.obey(text);
    // Not awaited: the phase says that it goes on.
    if (next?.kind === 'message') void openData(next.transaction);
    if (next?.kind === 'secure') void secure();
  }

  function waitForUs(): false {
    deadlines.awaitUs();
    return false;
  }

  function waitForReader(): false {
    if (stalled) return false;
    stalled = true;
    deadlines.awaitReader();
    wire.whenDrained(() => {
      stalled = false;
      run();
    });
    return false;
  }

  function waitForClient(unanswered: number): false {
    if (unanswered > 0) deadlines.awaitUs();
    else if (lines.pending()) deadlines.awaitLineEnd();
    else deadlines.awaitCommand();
    wantMore();
    return false;
  }

  /** What was said in plain text may have been written by somebody else: it is forgotten (RFC 3207 §4.2). */
  async function secure(): Promise<void> {
    phase = { kind: 'securing' };
    // The handshake has a deadline of its own, at which there is nobody to be told so.
    deadlines.clear();
    replies.flush();
    const isSecure = await wire.secure();
    if (!isSecure) close();
    if (phase.kind !== 'securing') return;
    commands.forget();
    phase = { kind: 'commands' };
    run();
  }

  /** Never rejects: the relay's trouble is a reply. */
  async function openData(transaction: Transaction): Promise<void> {
    const leaving = new AbortController();
    phase = { kind: 'opening', leaving };
    deadlines.awaitUs();
    // What comes before our 354 is seen, and refused, only if it is read.
    wantMore();
    if (phase.kind !== 'opening') return;
    const hello = commands.hello() ?? { verb: 'HELO', name: '' };
    messages++;
    const opened = await openMessage(transaction, {
      ...options,
      session: id,
      id: `${id}-${messages}`,
      client: wire.client,
      encryption: wire.encryption(),
      hello,
      wallMs: performance.timeOrigin + now(),
      signal: leaving.signal,
    });
    if (phase.kind !== 'opening') {
      if (opened.kind === 'open') opened.message.abort();
      return;
    }
    if (opened.kind === 'refused') {
      phase = { kind: 'commands' };
      commands.refuseData(opened.reply);
      run();
      return;
    }
    phase = { kind: 'message', message: opened.message };
    deadlines.beginMessage();
    replies.say(SAYS.goAhead);
  }

  function feed(message: Message, chunk: Buffer): void {
    const taken = message.take(chunk);
    deadlines.messageOctets(chunk.length);
    switch (taken.kind) {
      case 'overrun':
        replies.hangUp(SAYS.tooBig);
        break;
      case 'end':
        void endMessage(message, taken.rest);
        break;
      case 'more':
        if (taken.ready === null) wantMore();
        else void waitForNextHop(taken.ready);
        break;
    }
  }

  async function waitForNextHop(ready: Promise<unknown>): Promise<void> {
    deadlines.awaitNextHop();
    await ready;
    if (phase.kind !== 'message') return;
    deadlines.messageOctets(0);
    wantMore();
  }

  async function endMessage(message: Message, rest: Buffer | null): Promise<void> {
    phase = { kind: 'finishing', message };
    if (rest !== null) lines.push(rest);
    // The relay has a deadline for this. Hanging up before it would have the sender send a message twice that was taken.
    deadlines.clear();
    const reply = await message.finish();
    if (phase.kind !== 'finishing') return;
    commands.endTransaction();
    phase = { kind: 'commands' };
    replies.say(reply);
    run();
  }

  /** Nothing more is said or read. Called once the last reply is written, or the client is gone. */
  function close(): void {
    if (phase.kind === 'closed') return;
    if (phase.kind === 'opening') phase.leaving.abort();
    if (phase.kind === 'message') phase.message.abort();
    if (phase.kind === 'finishing') phase.message.leave();
    phase = { kind: 'closed' };
    visit.leave();
    held = null;
    greeting.clear();
    deadlines.clear();
    replies.drop();
    wire.end();
    wantMore();
  }

  return {
    // Not awaited: the greeting waits for it, and it never rejects.
    open: () => void enter(),
    receive,
    lost: close,
    drain() {
      draining = true;
      if (phase.kind === 'greeting') replies.hangUp(SAYS.shuttingDown);
      run();
    },
    cut: () => replies.hangUp(SAYS.shuttingDown),
  };
}
