import { connect, isIP, type Socket } from 'node:net';
import { type Interfaces, type LocalInterface, localAddressFor } from '../local-address.ts';
import type { Server } from '../server.ts';

/** Where a connection goes: to a literal address, from a local address that `from` chooses, or to a unix socket. */
export type Place =
  | Readonly<{ kind: 'tcp'; address: string; port: number; from: LocalInterface }>
  | Readonly<{ kind: 'unix'; path: string }>;

/** The places where a server is to be reached, in the order to try them. */
export function placesOf(server: Server, from: LocalInterface): readonly Place[] {
  if (server.kind === 'unix') return [server];
  return server.targets.map(({ address }) => ({ kind: 'tcp', address, port: server.port, from }));
}

/** `no-route`: the local address that was asked for cannot be had (SPEC 5.8); that says nothing about the server. */
export type Dialed =
  | Readonly<{ kind: 'open'; socket: Socket }>
  | Readonly<{ kind: 'failed'; cause: 'connect' | 'timeout' | 'no-route'; detail: string }>;

/** Opens a connection. A name in place of an address is a broken program, since only addresses just resolved may be connected to (SPEC 5.7). */
export function dial(to: Place, timeoutMs: number, interfaces?: () => Interfaces): Promise<Dialed> {
  if (to.kind === 'unix') return opened(connect({ path: to.path }), timeoutMs);
  const { address, port, from } = to;
  if (isIP(address) === 0) throw new Error(`dial wants a literal address, not ${address}`);
  const local = localAddressFor(address, from, interfaces);
  const options = { host: address, port, noDelay: true, keepAlive: true };
  switch (local.kind) {
    case 'none':
      return Promise.resolve({ kind: 'failed', cause: 'no-route', detail: local.detail });
    case 'unbound':
      return opened(connect(options), timeoutMs);
    case 'bound':
      return opened(connect({ ...options, localAddress: local.address }), timeoutMs);
  }
}

const LINGER_MS = 20;

/** A server needs a moment to see that a connection is closed; only then another one may take its place, where their number is limited. */
export function linger(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, LINGER_MS));
}

function opened(socket: Socket, timeoutMs: number): Promise<Dialed> {
  return new Promise((resolve) => {
    const timer = setTimeout(
      () => fail('timeout', `no connection within ${Math.round(timeoutMs)} ms`),
      Math.max(0, timeoutMs),
    );
    const onError = (error: NodeJS.ErrnoException & { address?: string }): void => {
      const code = error.code ?? error.message;
      if (error.syscall === 'bind') fail('no-route', `cannot connect from ${error.address}: ${code}`);
      else fail('connect', code);
    };

    function fail(cause: 'connect' | 'timeout' | 'no-route', detail: string): void {
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
