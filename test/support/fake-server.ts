/**
 * A mail server that does as it is told. Its default is a well-behaved server that knows `users`; `on` replaces its answer to a command.
 * Everything a test wants to assert is counted here, at the server.
 */
import { createServer, type Socket } from 'node:net';
import { createSecureContext, type SecureContextOptions, TLSSocket } from 'node:tls';

/** An address at which nobody listens. A port of 127.0.0.1 that a server has left is given to the next one, perhaps of another test. */
export const NOBODYS_ADDRESS = '127.99.99.99';

/** What the server does about one command. A string is a reply without its last CRLF (`\r\n` inside makes more lines). */
export type Move =
  | string
  | { raw: string | Buffer; close?: boolean }
  | { reply: string; close: true }
  /** These octets, and behind them the handshake. */
  | { starttls: string }
  | { kind: 'silent' }
  | { kind: 'close' }
  | { kind: 'reset' };

export type Verb =
  | 'connect'
  | 'LHLO'
  | 'EHLO'
  | 'HELO'
  | 'STARTTLS'
  | 'AUTH'
  | 'MAIL'
  | 'RCPT'
  | 'DATA'
  | 'DOT'
  | 'RSET'
  | 'QUIT'
  | 'NOOP';

/** One session, as the server sees it. `rcpts` counts RCPT commands of the session, `rcptsInTransaction` those since MAIL. */
export type FakeSession = {
  readonly number: number;
  readonly lines: string[];
  /** Those of them that came in plain text. */
  readonly plainLines: string[];
  /** Once STARTTLS was said. */
  secure: TLSSocket | null;
  /** Who the client said it is, and was believed. */
  user: string;
  mailFrom: string;
  rcpts: number;
  rcptsInTransaction: number;
  accepted: string[];
  socket: Socket;
};

/** `next`: the line that follows, an answer to what the handler wrote itself. */
type Command = { line: string; address: string; session: FakeSession; next(): Promise<string> };
type Answer = (command: Command) => Move | Promise<Move>;
/** null: what the server says when nobody tells it what to say. */
export type Handler = (command: Command) => Move | null | Promise<Move | null>;

export type FakeMessage = Readonly<{ mailFrom: string; recipients: readonly string[]; data: Buffer }>;

export type FakeServer = Readonly<{
  /** 0 on a unix socket. */
  port: number;
  /** `127.0.0.1:port`, or `unix:/path` */
  at: string;
  sessions: FakeSession[];
  /** The address that each session came from; empty on a unix socket. */
  callers: string[];
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
  /** STARTTLS is offered with these. `requestCert`: the client must have a certificate. */
  tls?: SecureContextOptions & { requestCert?: boolean };
  /** AUTH is offered over TLS for these users, by name. */
  passwords?: Readonly<Record<string, string>>;
  mechanisms?: readonly string[];
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
  const mechanisms = options.mechanisms ?? ['PLAIN', 'LOGIN'];
  const name = options.name ?? 'fake.example';
  const sessions: FakeSession[] = [];
  const callers: string[] = [];
  const messages: FakeMessage[] = [];
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  /** Those that neither side has ended: a connection that the server itself hung up is none to it any more. */
  const open = new Set<Socket>();
  let mostOpen = 0;

  const isLmtp = options.protocol === 'lmtp';
  function hello(session: FakeSession): string {
    const starttls = options.tls !== undefined && session.secure === null ? ['STARTTLS'] : [];
    const auth = options.passwords !== undefined && session.secure !== null ? [`AUTH ${mechanisms.join(' ')}`] : [];
    return [name, ...capabilities, ...starttls, ...auth]
      .map((text, i, all) => `250${i === all.length - 1 ? ' ' : '-'}${text}`)
      .join('\r\n');
  }
  const defaults: Record<Verb, Answer> = {
    connect: () => `220 ${name} ESMTP`,
    LHLO: ({ session }) => (isLmtp ? hello(session) : UNKNOWN),
    EHLO: ({ session }) => (isLmtp ? UNKNOWN : hello(session)),
    HELO: () => (isLmtp ? UNKNOWN : `250 ${name}`),
    STARTTLS: () => (options.tls === undefined ? '502 5.5.1 No TLS here' : { starttls: '220 2.0.0 Ready\r\n' }),
    AUTH: authenticate,
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
    open.add(socket);
    mostOpen = Math.max(mostOpen, open.size);
    socket.on('end', () => open.delete(socket));
    socket.on('close', () => {
      open.delete(socket);
      sockets.delete(socket);
    });
    socket.on('error', () => socket.destroy());
    const session: FakeSession = {
      number: sessions.length,
      lines: [],
      plainLines: [],
      secure: null,
      user: '',
      mailFrom: '',
      rcpts: 0,
      rcptsInTransaction: 0,
      accepted: [],
      socket,
    };
    sessions.push(session);
    callers.push(socket.remoteAddress ?? '');
    void converse(session).catch((error: unknown) => socket.destroy(error as Error));
  });

  async function converse(session: FakeSession): Promise<void> {
    let buffered: Buffer = Buffer.alloc(0);
    let source = reader(session.socket);
    if (!(await act(session, 'connect', '', next))) return;
    for (;;) {
      const line = await take('\r\n');
      if (line === null) return;
      session.lines.push(line.toString('utf8'));
      if (session.secure === null) session.plainLines.push(line.toString('utf8'));
      const verb = session.lines.at(-1)?.split(' ')[0]?.toUpperCase() ?? '';
      if (!isVerb(verb)) {
        session.socket.write(`${UNKNOWN}\r\n`);
        continue;
      }
      if (!(await act(session, verb, line.toString('utf8'), next))) return;
      if (session.lines.at(-1) === '(starttls)') {
        source.stop();
        source = reader(upgrade(session));
        buffered = Buffer.alloc(0);
      }
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
      if (!(await act(session, 'DOT', '.', next))) return;
    }

    async function next(): Promise<string> {
      return (await take('\r\n'))?.toString('utf8') ?? '';
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
        const chunk = await source.more();
        if (chunk === null) return null;
        buffered = Buffer.concat([buffered, chunk]);
      }
    }
  }

  /** Answers one command; false when the session is over or silent from here on. */
  async function act(session: FakeSession, verb: Verb, line: string, next: Command['next']): Promise<boolean> {
    const { socket } = session;
    const address = /<(.*)>/.exec(line)?.[1] ?? '';
    if (verb === 'MAIL') Object.assign(session, { mailFrom: address, rcptsInTransaction: 0, accepted: [] });
    if (verb === 'RSET') Object.assign(session, { rcptsInTransaction: 0, accepted: [] });
    if (verb === 'RCPT') {
      session.rcpts++;
      session.rcptsInTransaction++;
      asked.push(address);
    }
    const command = { line, address, session, next };
    const move = (await options.on?.[verb]?.(command)) ?? (await defaults[verb](command));
    if (socket.destroyed) return false;
    if (typeof move === 'string') {
      socket.write(`${move}\r\n`);
      if (verb === 'RCPT' && move.startsWith('2')) session.accepted.push(address);
      if (verb === 'DATA' && move.startsWith('354')) session.lines.push('(354)');
      return true;
    }
    if ('starttls' in move) {
      session.lines.push('(starttls)');
      socket.write(move.starttls);
      return true;
    }
    if ('raw' in move) {
      socket.write(move.raw);
      if (move.close) hangUp(socket);
      return !move.close;
    }
    if ('reply' in move) {
      hangUp(socket, `${move.reply}\r\n`);
      return false;
    }
    if (move.kind === 'close') hangUp(socket);
    if (move.kind === 'reset') socket.resetAndDestroy();
    if (move.kind === 'silent') socket.resume();
    return false;
  }

  /** The handshake is what the client says next. */
  function upgrade(session: FakeSession): TLSSocket {
    const { requestCert = false, ...context } = options.tls ?? {};
    const secure = new TLSSocket(session.socket, {
      isServer: true,
      secureContext: createSecureContext(context),
      requestCert,
      rejectUnauthorized: requestCert,
    });
    secure.on('error', () => secure.destroy());
    session.secure = secure;
    session.socket = secure;
    return secure;
  }

  async function authenticate({ line, session, next }: Command): Promise<Move> {
    const [, mechanism = '', initial = ''] = line.split(' ');
    let [user = '', password = ''] = decoded(initial).split('\0').slice(1);
    if (mechanism === 'LOGIN') {
      session.socket.write('334 VXNlcm5hbWU6\r\n');
      user = decoded(await next());
      session.socket.write('334 UGFzc3dvcmQ6\r\n');
      password = decoded(await next());
    }
    const isRight = mechanisms.includes(mechanism) && options.passwords?.[user] === password;
    if (isRight) session.user = user;
    return isRight ? '235 2.7.0 Welcome' : '535 5.7.8 Wrong';
  }

  function hangUp(socket: Socket, word = ''): void {
    open.delete(socket);
    socket.end(word);
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
    callers,
    messages,
    asked,
    open: () => open.size,
    mostOpen: () => mostOpen,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function decoded(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}

/** Reads a socket chunk by chunk; null at its end. `stop` leaves the rest in the socket. */
function reader(socket: Socket): Readonly<{ more(): Promise<Buffer | null>; stop(): void }> {
  const chunks: Buffer[] = [];
  let ended = false;
  let wake = (): void => {};
  const read = (chunk: Buffer): void => {
    chunks.push(chunk);
    wake();
  };
  socket.on('data', read);
  for (const event of ['end', 'close']) {
    socket.on(event, () => {
      ended = true;
      wake();
    });
  }
  async function more(): Promise<Buffer | null> {
    for (;;) {
      const chunk = chunks.shift();
      if (chunk !== undefined) return chunk;
      if (ended) return null;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
  function stop(): void {
    socket.off('data', read);
    socket.pause();
  }
  return { more, stop };
}
