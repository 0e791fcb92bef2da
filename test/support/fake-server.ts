/**
 * A mail server that does as it is told. Its default is a well-behaved server that knows `users`; `on` replaces its answer to a command.
 * Everything a test wants to assert is counted here, at the server.
 */
import { createServer, type Socket } from 'node:net';

/** What the server does about one command. A string is a reply without its last CRLF (`\r\n` inside makes more lines). */
export type Move =
  | string
  | { raw: string | Buffer; close?: boolean }
  | { reply: string; close: true }
  | { kind: 'silent' }
  | { kind: 'close' }
  | { kind: 'reset' };

export type Verb = 'connect' | 'LHLO' | 'EHLO' | 'HELO' | 'MAIL' | 'RCPT' | 'DATA' | 'DOT' | 'RSET' | 'QUIT' | 'NOOP';

/** One session, as the server sees it. `rcpts` counts RCPT commands of the session, `rcptsInTransaction` those since MAIL. */
export type FakeSession = {
  readonly number: number;
  readonly lines: string[];
  mailFrom: string;
  rcpts: number;
  rcptsInTransaction: number;
  accepted: string[];
  readonly socket: Socket;
};

export type Handler = (command: { line: string; address: string; session: FakeSession }) => Move | Promise<Move>;

export type FakeMessage = Readonly<{ mailFrom: string; recipients: readonly string[]; data: Buffer }>;

export type FakeServer = Readonly<{
  /** 0 on a unix socket. */
  port: number;
  /** `127.0.0.1:port`, or `unix:/path` */
  at: string;
  sessions: FakeSession[];
  messages: FakeMessage[];
  /** Every RCPT address asked, in order of arrival over all sessions. */
  asked: string[];
  open(): number;
  mostOpen(): number;
  stop(): Promise<void>;
}>;

export type FakeOptions = {
  users?: readonly string[];
  on?: Partial<Record<Verb, Handler>>;
  capabilities?: readonly string[];
  host?: string;
  port?: number;
  /** A unix socket to listen on, in place of a port. */
  path?: string;
  /** `lmtp`: LHLO in place of EHLO, and after a message a reply for each recipient (RFC 2033). */
  protocol?: 'smtp' | 'lmtp';
  name?: string;
};

const UNKNOWN = '500 5.5.2 Unknown command';

export async function startFakeServer(options: FakeOptions = {}): Promise<FakeServer> {
  const users = new Set(options.users ?? []);
  const capabilities = options.capabilities ?? [
    'PIPELINING',
    'SIZE 10485760',
    '8BITMIME',
    'ENHANCEDSTATUSCODES',
    'SMTPUTF8',
  ];
  const name = options.name ?? 'fake.example';
  const sessions: FakeSession[] = [];
  const messages: FakeMessage[] = [];
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  let mostOpen = 0;

  const isLmtp = options.protocol === 'lmtp';
  const hello = (): string =>
    [name, ...capabilities].map((text, i, all) => `250${i === all.length - 1 ? ' ' : '-'}${text}`).join('\r\n');
  const defaults: Record<Verb, Handler> = {
    connect: () => `220 ${name} ESMTP`,
    LHLO: () => (isLmtp ? hello() : UNKNOWN),
    EHLO: () => (isLmtp ? UNKNOWN : hello()),
    HELO: () => (isLmtp ? UNKNOWN : `250 ${name}`),
    MAIL: () => '250 2.1.0 Ok',
    RCPT: ({ address }) => (users.has(address) ? '250 2.1.5 Ok' : '550 5.1.1 No such user'),
    DATA: ({ session }) => (session.accepted.length > 0 ? '354 Go ahead' : '554 5.5.1 No valid recipients'),
    DOT: ({ session }) => (isLmtp ? session.accepted : ['all']).map(() => '250 2.0.0 Queued').join('\r\n'),
    RSET: () => '250 2.0.0 Ok',
    QUIT: () => ({ reply: '221 2.0.0 Bye', close: true }),
    NOOP: () => '250 2.0.0 Ok',
  };

  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    mostOpen = Math.max(mostOpen, sockets.size);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    const session: FakeSession = {
      number: sessions.length,
      lines: [],
      mailFrom: '',
      rcpts: 0,
      rcptsInTransaction: 0,
      accepted: [],
      socket,
    };
    sessions.push(session);
    void converse(session).catch((error: unknown) => socket.destroy(error as Error));
  });

  async function converse(session: FakeSession): Promise<void> {
    const { socket } = session;
    let buffered: Buffer = Buffer.alloc(0);
    const more = reader(socket);
    if (!(await act(session, 'connect', ''))) return;
    for (;;) {
      const line = await take('\r\n');
      if (line === null) return;
      session.lines.push(line.toString('utf8'));
      const verb = session.lines.at(-1)?.split(' ')[0]?.toUpperCase() ?? '';
      if (!isVerb(verb)) {
        socket.write(`${UNKNOWN}\r\n`);
        continue;
      }
      if (!(await act(session, verb, line.toString('utf8')))) return;
      if (session.lines.at(-1) !== '(354)') continue;
      // The empty line before a message makes its terminator the same for an empty one.
      buffered = Buffer.concat([Buffer.from('\r\n'), buffered]);
      const data = await take('\r\n.\r\n');
      if (data === null) return;
      messages.push({
        mailFrom: session.mailFrom,
        recipients: [...session.accepted],
        data: Buffer.concat([data.subarray(2), Buffer.from(data.length > 0 ? '\r\n' : '')]),
      });
      session.lines.push('(message)');
      if (!(await act(session, 'DOT', '.'))) return;
    }

    /** The octets before `end`, or null once the client is gone. */
    async function take(end: string): Promise<Buffer | null> {
      for (;;) {
        const at = buffered.indexOf(end);
        if (at >= 0) {
          const taken = buffered.subarray(0, at);
          buffered = buffered.subarray(at + end.length);
          return taken;
        }
        const chunk = await more();
        if (chunk === null) return null;
        buffered = Buffer.concat([buffered, chunk]);
      }
    }
  }

  /** Answers one command; false when the session is over or silent from here on. */
  async function act(session: FakeSession, verb: Verb, line: string): Promise<boolean> {
    const { socket } = session;
    const address = /<(.*)>/.exec(line)?.[1] ?? '';
    if (verb === 'MAIL') Object.assign(session, { mailFrom: address, rcptsInTransaction: 0, accepted: [] });
    if (verb === 'RSET') Object.assign(session, { rcptsInTransaction: 0, accepted: [] });
    if (verb === 'RCPT') {
      session.rcpts++;
      session.rcptsInTransaction++;
      asked.push(address);
    }
    const move = await (options.on?.[verb] ?? defaults[verb])({ line, address, session });
    if (socket.destroyed) return false;
    if (typeof move === 'string') {
      socket.write(`${move}\r\n`);
      if (verb === 'RCPT' && move.startsWith('2')) session.accepted.push(address);
      if (verb === 'DATA' && move.startsWith('354')) session.lines.push('(354)');
      return true;
    }
    if ('raw' in move) {
      socket.write(move.raw);
      if (move.close) socket.end();
      return !move.close;
    }
    if ('reply' in move) {
      socket.end(`${move.reply}\r\n`);
      return false;
    }
    if (move.kind === 'close') socket.end();
    if (move.kind === 'reset') socket.resetAndDestroy();
    if (move.kind === 'silent') socket.resume();
    return false;
  }

  function isVerb(verb: string): verb is Verb {
    return verb in defaults && verb !== 'connect' && verb !== 'DOT';
  }

  const { host = '127.0.0.1', path } = options;
  const socket = path === undefined ? { host, port: options.port ?? 0 } : { path };
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const bound = server.address();
  if (bound === null) throw new Error('the fake server does not listen');
  const port = typeof bound === 'string' ? 0 : bound.port;
  return {
    port,
    at: typeof bound === 'string' ? `unix:${bound}` : `${host.includes(':') ? `[${host}]` : host}:${port}`,
    sessions,
    messages,
    asked,
    open: () => sockets.size,
    mostOpen: () => mostOpen,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Reads a socket chunk by chunk; null at its end. */
function reader(socket: Socket): () => Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let ended = false;
  let wake = (): void => {};
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    wake();
  });
  for (const event of ['end', 'close']) {
    socket.on(event, () => {
      ended = true;
      wake();
    });
  }
  return async () => {
    for (;;) {
      const chunk = chunks.shift();
      if (chunk !== undefined) return chunk;
      if (ended) return null;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
}
