/**
 * A mail server as careless as any ever was: it drops NULs, any of CR, LF and CRLF ends a line for it, and a dot on such a line ends the message. What
 * is smuggled past a relay arrives here as a message of its own.
 */
import { createServer, type Socket } from 'node:net';

/** `data`: the octets between DATA and the end of the message as they came, one character each. */
export type LaxMessage = Readonly<{ mailFrom: string; data: string }>;

export type LaxServer = Readonly<{ port: number; messages: LaxMessage[]; stop(): Promise<void> }>;

const LINE_END = /\r\n|\r|\n/;
const END_OF_DATA = /(?:^|\r\n|\r|\n)\0*\.\0*(?:\r\n|\r|\n)/;

export async function startLaxServer(): Promise<LaxServer> {
  const messages: LaxMessage[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    converse(socket, messages);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the lax server does not listen');
  return {
    port: bound.port,
    messages,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function converse(socket: Socket, messages: LaxMessage[]): void {
  let text = '';
  let mailFrom = '';
  let inData = false;
  const say = (line: string): boolean => socket.write(`${line}\r\n`);
  say('220 lax.example');
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
    while (step()) {}
  });

  /** false: more is needed. */
  function step(): boolean {
    const end = (inData ? END_OF_DATA : LINE_END).exec(text);
    if (end === null) return false;
    const before = text.slice(0, end.index);
    text = text.slice(end.index + end[0].length);
    if (inData) {
      messages.push({ mailFrom, data: before });
      inData = false;
      return say('250 2.0.0 Taken');
    }
    return obey(before.replaceAll('\0', ''));
  }

  function obey(line: string): boolean {
    const verb = line.slice(0, 4).toUpperCase();
    if (verb === '') return true;
    if (verb === 'MAIL') mailFrom = /<(.*)>/.exec(line)?.[1] ?? '';
    if (verb !== 'DATA') return say(verb === 'EHLO' ? '250-lax.example\r\n250 8BITMIME' : '250 2.0.0 Ok');
    inData = true;
    return say('354 Go ahead');
  }
}
