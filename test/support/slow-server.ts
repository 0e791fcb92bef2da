/** A mail server that reads messages when it is told to, counts their octets and keeps nothing. */
import { createServer, type Socket } from 'node:net';

export type SlowServer = Readonly<{
  port: number;
  /** Octets of each message that has ended, with its terminator. */
  messages: number[];
  /** Messages that have begun. */
  begun(): number;
  /** Reads on, whatever comes. */
  wake(): void;
  stop(): Promise<void>;
}>;

const TERMINATOR = '\r\n.\r\n';

export async function startSlowServer(): Promise<SlowServer> {
  const messages: number[] = [];
  const sockets = new Set<Socket>();
  let begun = 0;
  let awake = false;
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    converse(socket);
  });

  function converse(socket: Socket): void {
    let octets: number | null = null;
    let tail = '';
    socket.write('220 slow.example\r\n');
    socket.on('data', (chunk) => {
      if (octets === null) return obey(chunk.toString('latin1'));
      octets += chunk.length;
      tail = `${tail}${chunk.toString('latin1', Math.max(0, chunk.length - TERMINATOR.length))}`.slice(
        -TERMINATOR.length,
      );
      if (tail !== TERMINATOR) return;
      messages.push(octets);
      octets = null;
      socket.write('250 2.0.0 Taken\r\n');
    });

    function obey(lines: string): void {
      for (const line of lines.split('\r\n').slice(0, -1)) {
        if (line === 'DATA') {
          octets = 0;
          begun++;
          if (!awake) socket.pause();
        }
        socket.write(line === 'DATA' ? '354 Go ahead\r\n' : '250 Ok\r\n');
      }
    }
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the slow server does not listen');
  return {
    port: bound.port,
    messages,
    begun: () => begun,
    wake() {
      awake = true;
      for (const socket of sockets) socket.resume();
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
