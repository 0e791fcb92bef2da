/** A way to a port that a test can cut and mend. */
import { connect, createServer, type Server, type Socket } from 'node:net';

export type Cuttable = Readonly<{
  /** `127.0.0.1:port`, the same after it was mended. */
  at: string;
  /** Breaks every connection, and refuses new ones. */
  cut(): Promise<void>;
  mend(): Promise<void>;
}>;

export async function openCuttable(target: string): Promise<Cuttable> {
  const [host = '', targetPort = ''] = target.split(':');
  const sockets = new Set<Socket>();
  let server = await listen(0);
  const port = portOf(server);

  async function listen(at: number): Promise<Server> {
    const opened = createServer((near) => {
      const far = connect(Number(targetPort), host);
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(one);
        one.on('error', () => {});
        one.on('close', () => {
          sockets.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
    await new Promise<void>((resolve, reject) => {
      opened.once('error', reject);
      opened.listen(at, '127.0.0.1', resolve);
    });
    return opened;
  }

  return {
    at: `127.0.0.1:${port}`,
    async cut() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    async mend() {
      server = await listen(port);
    },
  };
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it has no port');
  return address.port;
}
