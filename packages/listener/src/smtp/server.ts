import { randomInt } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { type Emit, hostPort, type ListenAddress, type ListenerSettings } from '@callahead/core';
import { SMTPServer } from 'smtp-server';
import { format } from '../replies.ts';
import { SAYS } from '../texts.ts';
import { Connection } from './connection.ts';
import type { Session, Wire } from './session.ts';

export type DoorOptions = Readonly<{
  settings: ListenerSettings;
  hostname: string;
  /** True while no new session can be served (SPEC 8.4). */
  overloaded: () => boolean;
  converse: (id: string, wire: Wire) => Session;
  emit: Emit;
  now: () => number;
}>;

export type Door = Readonly<{
  listen(): Promise<readonly string[]>;
  stopAccepting(): Promise<void>;
  drain(deadlineMs: number): Promise<void>;
  sessions(): number;
}>;

/** How long a client that is not served may take to read that. */
const SHED_MS = 1_000;
/** How many such clients are told; the others are cut off, so that a flood finds no descriptors. */
const MAX_SHED = 1_000;
/** What a client has to read its 421 at the end of a drain. */
const LAST_WORD_MS = 500;

/** The listening sockets are ours, smtp-server's own never listens: closing that one would answer 421 to every open session at its next command. */
export function createDoor({ settings, hostname, overloaded, converse, emit, now }: DoorOptions): Door {
  const listener = settings.name;
  const servers: Server[] = [];
  const connections = new Set<Connection>();
  const shed = new Set<Socket>();
  const start = randomInt(36 ** 4, 36 ** 5).toString(36);
  let count = 0;
  let empty: (() => void) | null = null;

  // TLS is off, and so the certificate that comes with the package is never shown.
  const smtp = new SMTPServer({ name: hostname, logger: false, disabledCommands: ['AUTH', 'STARTTLS'] });
  smtp.on('error', (error: Error & { remoteAddress?: string }) => {
    emit({ event: 'client.error', session: '', listener, client: error.remoteAddress ?? '', error: error.message });
  });

  function accept(socket: Socket): void {
    if (connections.size >= settings.limits.sessions || overloaded()) turnAway(socket);
    else if (socket.remoteAddress === undefined) socket.destroy();
    else serve(socket);
  }

  function serve(socket: Socket): void {
    const id = `${start}${(++count).toString(36)}`;
    const connection: Connection = new Connection(smtp, socket, { id, converse: (wire) => converse(id, wire), gone });
    const about = { session: id, listener, client: connection.remoteAddress };
    connection.on('error', (error: Error) => {
      emit({ event: 'client.error', ...about, error: error.message });
      socket.destroy();
    });
    connections.add(connection);
    smtp.connections.add(connection);
    emit({ event: 'session.opened', ...about });
    connection.init();

    function gone(): void {
      connections.delete(connection);
      emit({ event: 'session.closed', ...about });
      if (connections.size === 0) empty?.();
    }
  }

  function turnAway(socket: Socket): void {
    if (shed.size >= MAX_SHED) {
      socket.destroy();
      return;
    }
    shed.add(socket);
    const timer = setTimeout(() => socket.destroy(), SHED_MS);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      clearTimeout(timer);
      shed.delete(socket);
    });
    socket.resume();
    socket.end(format(SAYS.busy), 'latin1');
  }

  async function listen(): Promise<readonly string[]> {
    const bound: string[] = [];
    for (const address of settings.listen) {
      const server = createServer({ noDelay: true }, accept);
      servers.push(server);
      bound.push(await listenOn(server, address));
      // Running out of descriptors must not end the process.
      server.on('error', (error) => {
        emit({ event: 'client.error', session: '', listener, client: '', error: error.message });
      });
    }
    return bound;
  }

  async function stopAccepting(): Promise<void> {
    // A server that is closed twice, or never listened, says so in the callback only.
    for (const server of servers) server.close(() => {});
  }

  async function drain(deadlineMs: number): Promise<void> {
    await stopAccepting();
    for (const { talk } of [...connections]) talk.drain();
    await emptied(deadlineMs - now());
    for (const { talk } of [...connections]) talk.cut();
    await emptied(LAST_WORD_MS);
    for (const connection of [...connections]) connection._socket.destroy();
    for (const socket of shed) socket.destroy();
  }

  /** Waits until no session is left, at most so long. */
  function emptied(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, Math.max(0, milliseconds));
      empty = done;
      if (connections.size === 0) done();

      function done(): void {
        clearTimeout(timer);
        empty = null;
        resolve();
      }
    });
  }

  return { listen, stopAccepting, drain, sessions: () => connections.size };
}

function listenOn(server: Server, { host, port }: ListenAddress): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      const address = server.address();
      if (address === null || typeof address === 'string')
        return reject(new Error(`no port at ${hostPort(host, port)}`));
      resolve(hostPort(address.address, address.port));
    });
  });
}
