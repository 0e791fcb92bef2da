import type { Socket } from 'node:net';
import type { Emit, ListenerSettings, ShedReason } from '@callahead/core';
import { format } from '../replies.ts';
import { SAYS } from '../texts.ts';

/** Clients that there is no room for. */
export type Shedding = Readonly<{
  turnAway(client: Socket, reason: ShedReason): void;
  /** Cuts off who still reads what it was told, and tells of those that were not told of yet. */
  close(): void;
}>;

/** How long a client that is not served may take to read that. */
const READ_WITHIN_MS = 1_000;
/** How many such clients are told; the others are cut off, so that a flood finds no descriptors. */
const MOST_TOLD = 1_000;
/** A flood of clients is no flood of events: the first is told of at once, those of the next second together. */
const EVENT_MS = 1_000;

export function createShedding({ name: listener, tls }: Pick<ListenerSettings, 'name' | 'tls'>, emit: Emit): Shedding {
  const told = new Set<Socket>();
  const untold = new Map<ShedReason, Readonly<{ count: number; client: string }>>();
  let timer: NodeJS.Timeout | null = null;

  function turnAway(socket: Socket, reason: ShedReason): void {
    const client = socket.remoteAddress ?? '';
    untold.set(reason, { count: (untold.get(reason)?.count ?? 0) + 1, client });
    if (timer === null) tell();
    // Where TLS comes first a client could not read what it is told.
    if (told.size >= MOST_TOLD || tls?.mode === 'implicit') socket.destroy();
    else sayBusy(socket);
  }

  function sayBusy(socket: Socket): void {
    told.add(socket);
    const late = setTimeout(() => socket.destroy(), READ_WITHIN_MS);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      clearTimeout(late);
      told.delete(socket);
    });
    socket.resume();
    socket.end(format(SAYS.busy), 'latin1');
  }

  function tell(): void {
    timer = untold.size === 0 ? null : setTimeout(tell, EVENT_MS);
    tellOfAll();
  }

  function tellOfAll(): void {
    for (const [reason, shed] of untold) emit({ event: 'session.shed', listener, reason, ...shed });
    untold.clear();
  }

  function close(): void {
    for (const socket of told) socket.destroy();
    if (timer !== null) clearTimeout(timer);
    tellOfAll();
  }

  return { turnAway, close };
}
