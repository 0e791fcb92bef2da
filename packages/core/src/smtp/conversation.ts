import type { Socket } from 'node:net';
import { hostPort } from '../server.ts';
import type { Reply } from '../verdict.ts';
import { createReplyParser } from './reply.ts';
import { oneLine, readStatus } from './status.ts';
import { createTranscript, type Transcript } from './transcript.ts';

/** The conversation is over. `reply` is what the server said unasked before it went, often a 421. */
export type Broken = Readonly<{
  kind: 'broken';
  cause: 'timeout' | 'connect' | 'protocol';
  detail: string;
  reply: Reply | null;
}>;

/** What came behind a reply: another reply, the server's close, or nothing for now while nothing is outstanding. */
export type Behind = 'reply' | 'close' | 'quiet';

export type Said =
  | Readonly<{ kind: 'reply'; reply: Reply; lines: readonly string[]; behind(): Promise<Behind> }>
  | Broken;

/** The socket, silent, and the transcript to go on with; or what the server said instead. */
export type HandedOver = Said | Readonly<{ kind: 'socket'; socket: Socket; transcript: Transcript }>;

/** The client's side of an SMTP connection. It keeps order and time; what to say and what an answer means is its caller's matter. Nothing rejects. */
export type Conversation = Readonly<{
  /** The server's first reply. */
  greeting(deadlineMs: number): Promise<Said>;
  /** One command and its reply. */
  cmd(line: string, deadlineMs: number): Promise<Said>;
  /** Commands in one write (RFC 2920); each promise settles as its reply arrives. */
  cmds(lines: readonly string[], deadlineMs: number): readonly Promise<Said>[];
  /**
   * One command, behind whose 2xx the socket is the caller's and this conversation is over. What the server said after that 2xx in plain text is
   * thrown away: nobody knows who said it (CVE-2011-0411).
   */
  handOver(line: string, deadlineMs: number): Promise<HandedOver>;
  /** From now on `****` stands in place of these texts, in the transcript and in what the server says. */
  hide(texts: readonly string[]): void;
  /** Message octets as they are. false: wait for `drained` before more. */
  send(octets: Uint8Array): boolean;
  /** true once the socket takes more; false when the deadline passed or the conversation broke. */
  drained(deadlineMs: number): Promise<boolean>;
  /** The next reply, to something that was sent rather than commanded. Only the deadline bounds it. */
  next(deadlineMs: number): Promise<Said>;
  /** false once it broke: closed, timed out, a reply nobody asked for, something that is no reply. */
  usable(): boolean;
  /** Why it broke; null while it has not. */
  broken(): Broken | null;
  /** Settles when the socket is gone. */
  closed: Promise<void>;
  /** `C: …` and `S: …` lines: the first ones and the latest ones, printable. */
  transcript(): readonly string[];
  /** Ends it at once, without a QUIT. */
  destroy(): void;
  /** Says QUIT, waits for its reply or the close, no longer than `timeoutMs`, and ends it. */
  quit(timeoutMs: number): Promise<void>;
}>;

type Waiter = Readonly<{ settle(said: Said): void; deadlineMs: number; progress: boolean }>;

/** Between two replies to commands no more than `commandTimeoutMs` may pass. `transcript`: of a conversation that goes on with this one. */
export type ConversationOptions = Readonly<{ now: () => number; commandTimeoutMs: number; transcript?: Transcript }>;

/** Takes over a connected socket. */
export function openConversation(
  socket: Socket,
  { now, commandTimeoutMs, transcript = beginTranscript(socket) }: ConversationOptions,
): Conversation {
  const parser = createReplyParser();
  const waiting: Waiter[] = [];
  const watchers = new Set<() => void>();
  const { promise: closed, resolve: nowClosed } = Promise.withResolvers<void>();
  let broken: Broken | null = null;
  let received = 0;
  let progressAtMs = now();
  let timer: NodeJS.Timeout | null = null;
  let timerMs = 0;
  let hidden: readonly string[] = [];
  /** The last word before the socket is the caller's. */
  let handingOver = false;

  socket.on('data', read);
  socket.on('end', () => end('connect', 'the server closed the connection'));
  socket.on('error', (error: NodeJS.ErrnoException) => end('connect', error.code ?? error.message));
  socket.on('close', () => {
    end('connect', 'the connection is closed');
    nowClosed();
  });

  function read(chunk: Uint8Array): void {
    const pushed = parser.push(chunk);
    for (const [i, whole] of pushed.entries()) {
      if (broken !== null) return;
      if (whole.kind === 'malformed') {
        end('protocol', whole.detail);
        return;
      }
      const raw = hidden.length === 0 ? whole : { ...whole, lines: whole.lines.map(masked) };
      const reply = readStatus(raw);
      transcript.heard(raw);
      received++;
      progressAtMs = now();
      const waiter = waiting.shift();
      // Unread words would be taken for the answer to the next command: such a connection is never used again.
      if (waiter === undefined) {
        end('protocol', `unasked: ${reply.code} ${reply.text}`, reply);
        return;
      }
      if (handingOver && reply.code >= 200 && reply.code < 300) letGo(i + 1 < pushed.length);
      waiter.settle({ kind: 'reply', reply, lines: raw.lines, behind: behindOf(received) });
      notify();
    }
  }

  function letGo(more: boolean): void {
    if (more) transcript.note('what came behind it is thrown away');
    broken = { kind: 'broken', cause: 'connect', detail: 'the socket was handed over', reply: null };
    if (timer !== null) clearTimeout(timer);
    socket.pause();
    socket.off('data', read);
  }

  function masked(text: string): string {
    return hidden.reduce((shown, secret) => shown.replaceAll(secret, '****'), text);
  }

  function end(cause: Broken['cause'], detail: string, reply: Reply | null = null): void {
    if (broken !== null) return;
    broken = { kind: 'broken', cause, detail: oneLine(detail), reply };
    if (timer !== null) clearTimeout(timer);
    transcript.note(broken.detail);
    socket.destroy();
    for (const waiter of waiting.splice(0)) waiter.settle(broken);
    notify();
  }

  function notify(): void {
    for (const watcher of watchers) watcher();
    watchers.clear();
  }

  /** A server that hangs up on a client it takes for a guesser does so right behind a reply; only the next event tells (SPEC 4.5). */
  function behindOf(position: number): () => Promise<Behind> {
    return async () => {
      // With nothing outstanding a close shows within a turn or two of the event loop; the second covers an end that the first read left in the socket.
      for (let turn = 0; waiting.length === 0 && received === position && broken === null && turn < 2; turn++)
        await nextTurn();
      while (waiting.length > 0 && received === position && broken === null) {
        await new Promise<void>((resolve) => watchers.add(resolve));
      }
      if (received > position) return 'reply';
      return broken === null ? 'quiet' : 'close';
    };
  }

  function wait(deadlineMs: number, progress: boolean): Promise<Said> {
    if (broken !== null) return Promise.resolve(broken);
    if (waiting.length === 0) progressAtMs = now();
    return new Promise((settle) => {
      waiting.push({ settle, deadlineMs, progress });
      arm();
    });
  }

  // One timer a conversation. One that fires too early is set again, so a reply costs no timer.
  function arm(): void {
    const first = waiting[0];
    if (first === undefined || broken !== null) return;
    const wakeMs = dueMs(first);
    if (timer !== null && timerMs <= wakeMs) return;
    if (timer !== null) clearTimeout(timer);
    timerMs = wakeMs;
    timer = setTimeout(expire, Math.min(Math.max(1, wakeMs - now()), 2 ** 30));
  }

  function expire(): void {
    // A stalled event loop finds its timers due before it reads the sockets: let it read first, lest our own stall is the server's fault.
    setImmediate(() => {
      timer = null;
      const first = waiting[0];
      if (first !== undefined && dueMs(first) <= now()) end('timeout', 'no reply in time');
      else arm();
    });
  }

  function dueMs(waiter: Waiter): number {
    return waiter.progress ? Math.min(waiter.deadlineMs, progressAtMs + commandTimeoutMs) : waiter.deadlineMs;
  }

  function cmds(lines: readonly string[], deadlineMs: number): readonly Promise<Said>[] {
    for (const line of lines) {
      if (/[\r\n\0]/.test(line)) throw new Error('a command with a line end inside');
    }
    const said = lines.map(() => wait(deadlineMs, true));
    if (broken === null && lines.length > 0) {
      for (const line of lines) transcript.said(masked(line));
      socket.write(`${lines.join('\r\n')}\r\n`);
    }
    return said;
  }

  function cmd(line: string, deadlineMs: number): Promise<Said> {
    const [said] = cmds([line], deadlineMs);
    if (said === undefined) throw new Error('one command has one reply');
    return said;
  }

  async function handOver(line: string, deadlineMs: number): Promise<HandedOver> {
    handingOver = true;
    const said = await cmd(line, deadlineMs);
    handingOver = false;
    const isOurs = said.kind === 'reply' && said.reply.code >= 200 && said.reply.code < 300;
    return isOurs ? { kind: 'socket', socket, transcript } : said;
  }

  function drained(deadlineMs: number): Promise<boolean> {
    if (broken !== null || !socket.writableNeedDrain) return Promise.resolve(broken === null);
    return new Promise((resolve) => {
      const late = setTimeout(() => settle(false), Math.max(1, deadlineMs - now()));
      const onDrain = (): void => settle(true);
      const onClose = (): void => settle(false);
      function settle(ready: boolean): void {
        clearTimeout(late);
        socket.off('drain', onDrain);
        socket.off('close', onClose);
        resolve(ready && broken === null);
      }
      socket.once('drain', onDrain);
      socket.once('close', onClose);
    });
  }

  async function quit(timeoutMs: number): Promise<void> {
    // Its reply comes behind those that are outstanding, which may have much more time.
    const late = setTimeout(() => end('timeout', 'no reply to QUIT in time'), timeoutMs);
    await cmd('QUIT', now() + timeoutMs);
    clearTimeout(late);
    end('connect', 'we said QUIT');
  }

  return {
    greeting: (deadlineMs) => wait(deadlineMs, true),
    cmd,
    cmds,
    handOver,
    hide(texts) {
      hidden = texts.filter((text) => text !== '');
    },
    send: (octets) => broken === null && socket.write(octets),
    drained,
    next: (deadlineMs) => wait(deadlineMs, false),
    usable: () => broken === null,
    broken: () => broken,
    closed,
    transcript: transcript.lines,
    destroy: () => end('connect', 'we closed the connection'),
    quit,
  };
}

function beginTranscript(socket: Socket): Transcript {
  const transcript = createTranscript();
  transcript.note(endsOf(socket));
  return transcript;
}

/** Which address of ours the kernel chose, or a setting did, shows only once the socket is connected (SPEC 5.8). */
function endsOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  if (remoteAddress === undefined || remotePort === undefined) return 'connected';
  return `connected to ${hostPort(remoteAddress, remotePort)} from ${localAddress ?? 'an unknown address'}`;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
