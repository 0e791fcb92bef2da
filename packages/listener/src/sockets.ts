import { createServer, type Server, type Socket } from 'node:net';
import { hostPort, type ListenAddress } from '@callahead/core';

/** A socket that listens. Who serves its clients may change while it does; clients that come before there is anybody wait. */
export type ListeningSocket = Readonly<{
  /** `host:port`, with the real port where 0 was asked for. */
  at: string;
  /** From now on clients are this one's, those that wait first. */
  handTo(serve: (client: Socket) => void): void;
  /** Accepts nobody any more, and cuts off who waits. Clients that are served stay. */
  close(): void;
}>;

/** How many clients may wait until somebody serves them. */
const MAX_WAITING = 1_000;
/** Who finds the queue of the system full tries again after a second. It is bounded by `net.core.somaxconn` too; node's default is 511. */
const BACKLOG = 4_096;

/** Listens. Rejects when that cannot be. `onError`: what goes wrong later, as when the process runs out of descriptors. */
export async function openSocket(address: ListenAddress, onError: (error: Error) => void): Promise<ListeningSocket> {
  let serve: ((client: Socket) => void) | null = null;
  const waiting = new Set<Socket>();

  function wait(client: Socket): void {
    if (waiting.size >= MAX_WAITING) {
      client.destroy();
      return;
    }
    waiting.add(client);
    client.on('error', onError);
  }

  const server = createServer({ noDelay: true }, (client) => {
    if (serve === null) wait(client);
    else serve(client);
  });
  const at = await listenOn(server, address);
  server.on('error', onError);

  return {
    at,
    handTo(next) {
      serve = next;
      for (const client of waiting) {
        client.off('error', onError);
        next(client);
      }
      waiting.clear();
    },
    close() {
      // What it would tell is when the last client has gone.
      server.close(() => {});
      for (const client of waiting) client.destroy();
      waiting.clear();
    },
  };
}

function listenOn(server: Server, { host, port }: ListenAddress): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: BACKLOG }, () => {
      server.off('error', reject);
      const address = server.address();
      if (address === null || typeof address === 'string')
        return reject(new Error(`no port at ${hostPort(host, port)}`));
      resolve(hostPort(address.address, address.port));
    });
  });
}
