import { connect, isIP, type Socket } from 'node:net';

export type Dialed =
  | Readonly<{ kind: 'open'; socket: Socket }>
  | Readonly<{ kind: 'failed'; cause: 'connect' | 'timeout'; detail: string }>;

/** Opens a connection to a literal address; a name is a broken program, since only addresses just resolved may be connected to (SPEC 5.7). */
export function dial(to: Readonly<{ address: string; port: number }>, timeoutMs: number): Promise<Dialed> {
  if (isIP(to.address) === 0) throw new Error(`dial wants a literal address, not ${to.address}`);
  return new Promise((resolve) => {
    const socket = connect({ host: to.address, port: to.port, noDelay: true, keepAlive: true });
    const timer = setTimeout(
      () => fail('timeout', `no connection within ${Math.round(timeoutMs)} ms`),
      Math.max(0, timeoutMs),
    );
    const onError = (error: NodeJS.ErrnoException): void => fail('connect', error.code ?? error.message);

    function fail(cause: 'connect' | 'timeout', detail: string): void {
      clearTimeout(timer);
      socket.destroy();
      resolve({ kind: 'failed', cause, detail });
    }

    // It stays until the socket is gone: an error after `fail` must not be thrown at nobody.
    socket.on('error', onError);
    socket.once('connect', () => {
      clearTimeout(timer);
      // The conversation's own listener takes over.
      setImmediate(() => socket.off('error', onError));
      resolve({ kind: 'open', socket });
    });
  });
}
