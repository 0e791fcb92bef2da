/** Connections to next hops: how many there are, and those that wait for the next message. */
import type { Socket } from 'node:net';
import { type Capabilities, type Conversation, type DeliverySettings, linger, type Protocol } from '@callahead/core';

/** A connection on which MAIL may be said. */
export type NextHopConnection = Readonly<{
  conversation: Conversation;
  capabilities: Capabilities;
  protocol: Protocol;
  /** The literal address, or the path, that it leads to. */
  place: string;
  /** Those that it was opened with. */
  settings: DeliverySettings;
  socket: Socket;
  openedAtMs: number;
}>;

/** Leave to have one connection to a server. It is given back, or bound to the connection, which takes it along when it closes. */
export type Permit = Readonly<{
  /** A connection that waits already, and has its permit; null: a new one may be opened. */
  idle: NextHopConnection | null;
  bind(connection: NextHopConnection): void;
  /** There is no connection any more, or never was. */
  giveBack(): void;
}>;

/** What somebody wants who has a message. */
export type Wish = Readonly<{
  /** By `serverName`. */
  server: string;
  /** Of connections to the server, idle ones too. */
  limit: number;
  /** May a waiting connection be used? */
  fits: (connection: NextHopConnection) => boolean;
  /** Goes before everybody who waits: it had its turn, and a connection that was dead. */
  first?: boolean;
  deadlineMs: number;
  /** Nobody wants it any more. */
  signal: AbortSignal;
}>;

/** One for a whole gateway, or the limits are not (SPEC 2, `maxConnectionsPerServer`). */
export type Connections = Readonly<{
  /** Null: none became free by the deadline, or too many wait already. Those who wait are served in turn. Never rejects. */
  borrow(wish: Wish): Promise<Permit | null>;
  /** A connection that is bound, and whose last transaction is over, waits for the next message. */
  keep(server: string, connection: NextHopConnection): void;
  /** Permits that are lent: connections of all kinds, those being opened and closed included. */
  open(): number;
  /** Says QUIT on those that wait, and lets nobody wait any more. */
  close(): Promise<void>;
}>;

export type ConnectionsOptions = Readonly<{ now: () => number; idleMs?: number }>;

/** How long a connection waits for the next message. As short as Postfix has it: long enough for a burst, too short to be in a server's way. */
const IDLE_MS = 2_000;
/** How long one is used again, so that a server that comes back to a pool of them gets its share. */
const REUSE_WITHIN_MS = 300_000;
/** Messages that may wait for each connection that may be. */
const WAITING_PER_CONNECTION = 20;
const QUIT_WITHIN_MS = 5_000;
const CLOSE_WITHIN_MS = 1_000;

type Idle = Readonly<{ connection: NextHopConnection; timer: NodeJS.Timeout }>;
type Waiter = Readonly<{ wish: Wish; settle(permit: Permit | null): void }>;
/** `lent`: permits, those of idle connections too. `idle`: the latest is the last one. */
type Host = { lent: number; idle: Idle[]; waiting: Waiter[] };

export function createConnections({ now, idleMs = IDLE_MS }: ConnectionsOptions): Connections {
  const hosts = new Map<string, Host>();
  let closing = false;

  function borrow(wish: Wish): Promise<Permit | null> {
    const host = hosts.get(wish.server) ?? { lent: 0, idle: [], waiting: [] };
    hosts.set(wish.server, host);
    const permit = host.waiting.length === 0 || wish.first ? take(host, wish) : null;
    if (permit !== null) return Promise.resolve(permit);
    const isFull = host.waiting.length >= wish.limit * WAITING_PER_CONNECTION;
    if (closing || isFull || wish.signal.aborted) return Promise.resolve(null);
    return wait(host, wish);
  }

  function take(host: Host, wish: Wish): Permit | null {
    const at = host.idle.findLastIndex(({ connection }) => connection.conversation.usable() && wish.fits(connection));
    const [found] = at < 0 ? [] : host.idle.splice(at, 1);
    if (found !== undefined) {
      clearTimeout(found.timer);
      return permitFor(wish.server, host, found.connection);
    }
    if (host.lent < wish.limit) {
      host.lent++;
      return permitFor(wish.server, host, null);
    }
    // One that waits for others is in the way of one that is wanted.
    const [oldest] = host.idle;
    if (oldest !== undefined) retire(host, oldest);
    return null;
  }

  function wait(host: Host, wish: Wish): Promise<Permit | null> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => leave(), Math.max(1, wish.deadlineMs - now()));
      const leave = (): void => waiter.settle(null);
      const waiter: Waiter = {
        wish,
        settle(permit) {
          clearTimeout(timer);
          wish.signal.removeEventListener('abort', leave);
          const at = host.waiting.indexOf(waiter);
          if (at >= 0) host.waiting.splice(at, 1);
          resolve(permit);
        },
      };
      wish.signal.addEventListener('abort', leave);
      if (wish.first) host.waiting.unshift(waiter);
      else host.waiting.push(waiter);
    });
  }

  function permitFor(server: string, host: Host, idle: NextHopConnection | null): Permit {
    return {
      idle,
      bind(connection) {
        // Never rejects.
        void connection.conversation.closed.then(() => {
          forget(host, connection);
          return linger().then(() => free(server, host));
        });
      },
      giveBack: () => free(server, host),
    };
  }

  function free(server: string, host: Host): void {
    host.lent--;
    serve(host);
    if (host.lent === 0 && host.waiting.length === 0) hosts.delete(server);
  }

  function serve(host: Host): void {
    for (let [first] = host.waiting; first !== undefined; [first] = host.waiting) {
      const permit = take(host, first.wish);
      if (permit === null) return;
      first.settle(permit);
    }
  }

  function keep(server: string, connection: NextHopConnection): void {
    const { conversation, openedAtMs } = connection;
    const host = hosts.get(server);
    if (host === undefined || !conversation.usable()) {
      conversation.destroy();
      return;
    }
    if (closing || idleMs <= 0 || now() - openedAtMs > REUSE_WITHIN_MS) {
      void conversation.quit(QUIT_WITHIN_MS); // bounded, and nobody waits for it
      return;
    }
    const timer = setTimeout(() => retire(host, idle), idleMs);
    const idle: Idle = { connection, timer };
    host.idle.push(idle);
    serve(host);
  }

  function retire(host: Host, idle: Idle, withinMs = QUIT_WITHIN_MS): void {
    forget(host, idle.connection);
    void idle.connection.conversation.quit(withinMs); // bounded; its permit comes back when it is closed
  }

  function forget(host: Host, connection: NextHopConnection): void {
    const at = host.idle.findIndex((idle) => idle.connection === connection);
    const [found] = at < 0 ? [] : host.idle.splice(at, 1);
    if (found !== undefined) clearTimeout(found.timer);
  }

  async function close(): Promise<void> {
    closing = true;
    const gone: Promise<void>[] = [];
    for (const host of hosts.values()) {
      for (const waiter of [...host.waiting]) waiter.settle(null);
      for (const idle of [...host.idle]) {
        retire(host, idle, CLOSE_WITHIN_MS);
        gone.push(idle.connection.conversation.closed);
      }
    }
    await Promise.all(gone);
  }

  return {
    borrow,
    keep,
    open: () => [...hosts.values()].reduce((sum, { lent }) => sum + lent, 0),
    close,
  };
}
