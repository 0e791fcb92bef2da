import type { Socket } from 'node:net';
import { hostPort, type ListenAddress, type ListenerSettings } from '@callahead/core';
import { type ListeningSocket, openSocket } from '@callahead/listener';

/** Which sockets a new configuration needs, each as `LISTENER host:port`; those it keeps are the same sockets as before. */
export type Changes = Readonly<{ opened: readonly string[]; closed: readonly string[]; kept: readonly string[] }>;

/** Sockets that listen for a configuration, and nobody serves them yet. */
export type Plan = Readonly<{
  changes: Changes;
  /** From now on these are the gateway's sockets, and what they do not need is closed. */
  commit(serve: (listener: string) => (client: Socket) => void): void;
  /** Closes what was opened for it. */
  undo(): void;
}>;

/** The gateway's listening sockets. They outlive the configurations that name them. */
export type Sockets = Readonly<{
  /** Opens those that are missing. Rejects when one of them cannot listen, with none of them left open. */
  prepare(listeners: readonly ListenerSettings[]): Promise<Plan>;
  /** The sockets of each listener, as `host:port`. */
  listening(): Readonly<Record<string, readonly string[]>>;
  addresses(): readonly ListenAddress[];
  close(): void;
}>;

type Open = Readonly<{ listener: string; socket: ListeningSocket }>;
type Table = ReadonlyMap<string, Open>;

/** `onError`: what goes wrong with a socket of the listener while it listens. */
export function createSockets(onError: (listener: string, error: Error) => void): Sockets {
  let table: Table = new Map();
  let addresses: readonly ListenAddress[] = [];

  async function prepare(listeners: readonly ListenerSettings[]): Promise<Plan> {
    const next = new Map<string, Open>();
    const opened = new Set<Open>();
    const undo = (): void => {
      for (const { socket } of opened) socket.close();
    };
    for (const { name, address, key } of listeners.flatMap(wanted)) {
      const known = table.get(key);
      try {
        const socket = known?.socket ?? (await openSocket(address, (error) => onError(name, error)));
        const open = { listener: name, socket };
        next.set(key, open);
        if (known === undefined) opened.add(open);
      } catch (cause) {
        undo();
        throw new Error(`listener ${name}: ${(cause as Error).message}`, { cause });
      }
    }
    const closed = [...table].filter(([key]) => !next.has(key)).map(([, open]) => open);
    const kept = [...next.values()].filter((open) => !opened.has(open));
    return {
      changes: { opened: [...opened].map(nameOf), closed: closed.map(nameOf), kept: kept.map(nameOf) },
      commit(serve) {
        table = next;
        addresses = [...next.values()].map(({ socket }) => parseSocket(socket.at));
        for (const { listener, socket } of next.values()) socket.handTo(serve(listener));
        for (const { socket } of closed) socket.close();
      },
      undo,
    };
  }

  function listening(): Readonly<Record<string, readonly string[]>> {
    const byListener = Map.groupBy(table.values(), ({ listener }) => listener);
    return Object.fromEntries([...byListener].map(([name, open]) => [name, open.map(({ socket }) => socket.at)]));
  }

  return {
    prepare,
    listening,
    addresses: () => addresses,
    close() {
      for (const { socket } of table.values()) socket.close();
    },
  };
}

type Wanted = Readonly<{ name: string; address: ListenAddress; key: string }>;

/** A port belongs to whoever names it, so that a listener may be renamed; one that the system chose belongs to the listener that asked for it. */
function wanted({ name, listen }: ListenerSettings): readonly Wanted[] {
  return listen.map((address, i) => {
    const { host, port } = address;
    return { name, address, key: port === 0 ? `${name} ${host} ${i}` : hostPort(host, port) };
  });
}

function nameOf({ listener, socket }: Open): string {
  return `${listener} ${socket.at}`;
}

function parseSocket(socket: string): ListenAddress {
  const colon = socket.lastIndexOf(':');
  return { host: socket.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(socket.slice(colon + 1)) };
}
