import { randomInt } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Emit, ListenerSettings } from '@callahead/core';
import { SMTPServer } from 'smtp-server';
import { type ListeningSocket, openSocket } from '../sockets.ts';
import { createArrivals } from './arrivals.ts';
import { type Arrival, Connection } from './connection.ts';
import { createShedding } from './shedding.ts';
import type { Session, Wire } from './wire.ts';

export type DoorOptions = Readonly<{
  settings: ListenerSettings;
  generation: number;
  hostname: string;
  /** True while no new session can be served (SPEC 8.4). */
  overloaded: () => boolean;
  /** Sessions elsewhere that count as this listener's. */
  otherSessions: () => number;
  converse: (id: string, wire: Wire) => Session;
  emit: Emit;
  now: () => number;
}>;

export type Door = Readonly<{
  listen(): Promise<readonly string[]>;
  accept(client: Socket): void;
  stopAccepting(): void;
  drain(deadlineMs: number): Promise<void>;
  sessions(): number;
  deserted(): Promise<void>;
}>;

/** What a client has to read its 421 at the end of a drain. */
const LAST_WORD_MS = 500;
/** How many clients may stay for a while after their last reply; of more the first ones are cut off, so that nobody's descriptors go to them. */
const MOST_LEAVING = 1_000;

/** The listening sockets are ours, smtp-server's own never listens: closing that one would answer 421 to every open session at its next command. */
export function createDoor(options: DoorOptions): Door {
  const { settings, generation, hostname, overloaded, otherSessions, converse, emit, now } = options;
  const listener = settings.name;
  const sockets: ListeningSocket[] = [];
  const connections = new Set<Connection>();
  /** Those of them that have had their last reply: whoever does not go then takes nobody's place. */
  const leaving = new Set<Connection>();
  const arrivals = createArrivals({ settings, emit, now, left });
  const shedding = createShedding(settings, emit);
  const start = randomInt(36 ** 4, 36 ** 5).toString(36);
  let count = 0;
  const onEmpty = new Set<() => void>();

  // TLS is ours, and so the certificate that comes with the package is never shown.
  const smtp = new SMTPServer({ name: hostname, logger: false, disabledCommands: ['AUTH', 'STARTTLS'] });
  smtp.on('error', (error: Error & { remoteAddress?: string }) => {
    emit({ event: 'client.error', session: '', listener, client: error.remoteAddress ?? '', error: error.message });
  });

  function accept(socket: Socket): void {
    if (sessions() - leaving.size + otherSessions() >= settings.limits.sessions) shedding.turnAway(socket, 'sessions');
    else if (overloaded()) shedding.turnAway(socket, 'overload');
    else arrivals.receive(socket, serve);
  }

  function serve(arrival: Arrival): void {
    const id = `${start}${(++count).toString(36)}`;
    const connection: Connection = new Connection(smtp, arrival, {
      id,
      converse: (wire: Wire) => converse(id, wire),
      shakeHands: (plain) => arrivals.secure(plain, about),
      leaves,
      gone,
    });
    const about = { session: id, listener, client: connection.remoteAddress };
    connection.on('error', (error: Error) => {
      emit({ event: 'client.error', ...about, error: error.message });
      connection._socket.destroy();
    });
    connections.add(connection);
    smtp.connections.add(connection);
    emit({ event: 'session.opened', ...about, generation });
    if (arrival.encryption !== null) emit({ event: 'session.secured', ...about, ...arrival.encryption });
    connection.init();

    function leaves(): void {
      leaving.add(connection);
      const [first] = leaving;
      if (leaving.size <= MOST_LEAVING || first === undefined) return;
      leaving.delete(first);
      first._socket.destroy();
    }

    function gone(): void {
      connections.delete(connection);
      leaving.delete(connection);
      emit({ event: 'session.closed', ...about });
      left();
    }
  }

  function left(): void {
    if (sessions() > 0) return;
    for (const tell of onEmpty) tell();
    onEmpty.clear();
  }

  async function listen(): Promise<readonly string[]> {
    for (const address of settings.listen) {
      // Running out of descriptors must not end the process.
      const failed = (error: Error): void => {
        emit({ event: 'client.error', session: '', listener, client: '', error: error.message });
      };
      sockets.push(await openSocket(address, failed));
    }
    for (const socket of sockets) socket.handTo(accept);
    return sockets.map(({ at }) => at);
  }

  function stopAccepting(): void {
    for (const socket of sockets) socket.close();
  }

  async function drain(deadlineMs: number): Promise<void> {
    stopAccepting();
    arrivals.cut();
    for (const { talk } of [...connections]) talk.drain();
    await emptied(deadlineMs - now());
    for (const { talk } of [...connections]) talk.cut();
    await emptied(LAST_WORD_MS);
    for (const connection of [...connections]) connection._socket.destroy();
    shedding.close();
  }

  /** Waits until no session is left, at most so long. */
  async function emptied(milliseconds: number): Promise<void> {
    let timer: NodeJS.Timeout | null = null;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.max(0, milliseconds));
    });
    await Promise.race([deserted(), late]);
    if (timer !== null) clearTimeout(timer);
  }

  function deserted(): Promise<void> {
    if (sessions() === 0) return Promise.resolve();
    return new Promise((resolve) => onEmpty.add(resolve));
  }

  /** Who has not arrived yet takes a place too. */
  function sessions(): number {
    return connections.size + arrivals.waiting();
  }

  return { listen, accept, stopAccepting, drain, sessions, deserted };
}
