import { type Emit, hostPort, type LdapServerSettings, type LdapUrl, oneLine } from '@callahead/core';
import {
  type DirectoryConnection,
  type DirectoryEntry,
  type DirectoryQuery,
  openDirectoryConnection,
} from './directory-connection.ts';

/** `refused`: the directory will not answer this. `down`: none of its servers did. */
export type DirectoryAnswer =
  | Readonly<{ kind: 'found'; entries: readonly DirectoryEntry[] }>
  | Readonly<{ kind: 'refused' | 'down'; detail: string }>;

/** A directory, with the connections to its servers. Each search is answered within the settings' timeout, and at once while all servers are left alone. */
export type Directory = Readonly<{
  search(query: DirectoryQuery): Promise<DirectoryAnswer>;
  close(): Promise<void>;
}>;

/** `random`: in [0, 1). */
export type DirectoryOptions = Readonly<{ now(): number; random(): number; emit: Emit }>;

type Server = { readonly url: LdapUrl; readonly name: string; failures: number; retryAtMs: number };
type Lent = {
  readonly server: Server;
  readonly connection: DirectoryConnection;
  readonly openedMs: number;
  idleMs: number;
};
type Search = {
  readonly query: DirectoryQuery;
  readonly deadlineMs: number;
  tries: number;
  answered: boolean;
  answer(with_: DirectoryAnswer): void;
};

/** Searches that may wait for a connection; one more is answered at once that it cannot. */
const MAX_WAITING = 10_000;
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 10_000;
/** A firewall forgets a connection that is idle for long, and tells nobody. */
const MAX_IDLE_MS = 60_000;
/** After this the first server of the list gets its chance again. */
const MAX_AGE_MS = 300_000;
const GOODBYE_MS = 1_000;

/** Opens connections when searches want them, one at a time and never more than the settings allow; a server that fails is left alone for a while. */
export function createDirectory(settings: LdapServerSettings, options: DirectoryOptions): Directory {
  const { now, random, emit } = options;
  const servers = settings.urls.map((url): Server => ({ url, name: urlOf(url), failures: 0, retryAtMs: -Infinity }));
  const waiting = new Set<Search>();
  const live = new Set<Lent>();
  const idle: Lent[] = [];
  const closing = new AbortController();
  let connecting: Promise<void> | null = null;
  let closed = false;
  let lastFault = '';

  function search(query: DirectoryQuery): Promise<DirectoryAnswer> {
    if (closed) return Promise.resolve({ kind: 'down', detail: 'the gateway is closing' });
    if (waiting.size >= MAX_WAITING) return Promise.resolve({ kind: 'down', detail: 'too many searches wait' });
    return new Promise((resolve) => {
      const late = (): void => one.answer({ kind: 'down', detail: `no answer in time${lastFault}` });
      const timer = setTimeout(late, settings.timeoutMs);
      const one: Search = {
        query,
        deadlineMs: now() + settings.timeoutMs,
        tries: 0,
        answered: false,
        answer(found) {
          clearTimeout(timer);
          one.answered = true;
          waiting.delete(one);
          resolve(found);
        },
      };
      waiting.add(one);
      pump();
    });
  }

  function pump(): void {
    for (const one of waiting) {
      const lent = takeIdle();
      if (lent === null) {
        grow();
        return;
      }
      waiting.delete(one);
      // Every way through it ends with an answer, or back in the queue.
      void run(one, lent);
    }
  }

  function takeIdle(): Lent | null {
    for (let lent = idle.pop(); lent !== undefined; lent = idle.pop()) {
      if (now() - lent.idleMs < MAX_IDLE_MS && now() - lent.openedMs < MAX_AGE_MS) return lent;
      discard(lent);
    }
    return null;
  }

  function grow(): void {
    if (closed || connecting !== null || live.size >= settings.connections) return;
    const willing = servers.filter((server) => now() >= server.retryAtMs);
    if (willing.length > 0) {
      connecting = connect(willing).then(() => {
        connecting = null;
        pump();
      });
    } else if (live.size === 0) {
      for (const one of waiting) one.answer({ kind: 'down', detail: `no server answers${lastFault}` });
    }
  }

  /** The first of the servers that can be connected to. Together they get what one search may take. */
  async function connect(willing: readonly Server[]): Promise<void> {
    const endMs = now() + settings.timeoutMs;
    for (const [i, server] of willing.entries()) {
      const deadlineMs = now() + (endMs - now()) / (willing.length - i);
      const until = { deadlineMs, now, signal: closing.signal };
      const connected = await openDirectoryConnection(server.url, settings, until);
      if (closing.signal.aborted) return;
      if (connected.kind === 'failed') fault(server, connected.detail);
      else return admit({ server, connection: connected.connection, openedMs: now(), idleMs: now() });
    }
  }

  function admit(lent: Lent): void {
    live.add(lent);
    idle.push(lent);
    lent.connection.onClosed(() => {
      live.delete(lent);
      remove(idle, lent);
      pump();
    });
  }

  async function run(one: Search, lent: Lent): Promise<void> {
    const share = Math.max(1, servers.length - one.tries);
    const searched = await lent.connection.search(one.query, now() + (one.deadlineMs - now()) / share);
    one.tries++;
    switch (searched.kind) {
      case 'found':
      case 'refused':
        well(lent.server);
        one.answer(searched);
        lent.idleMs = now();
        idle.push(lent);
        return pump();
      case 'unfit':
        fault(lent.server, searched.detail);
        break;
      case 'closed':
        // Once may be an idle connection that was closed just then; whoever does it again is at fault.
        if (one.tries > 1) fault(lent.server, searched.detail);
        break;
    }
    // A search changes nothing: it may be asked again, of another server or over a new connection.
    const again =
      !one.answered && !closed && one.tries <= servers.length && servers.some((server) => now() >= server.retryAtMs);
    if (again) waiting.add(one);
    else one.answer({ kind: 'down', detail: `${lent.server.name}: ${searched.detail}` });
    pump();
  }

  function fault(server: Server, detail: string): void {
    lastFault = ` (${server.name}: ${oneLine(detail)})`;
    for (const lent of idle.filter((each) => each.server === server)) {
      remove(idle, lent);
      discard(lent);
    }
    // Searches that fail together are one fault.
    if (now() < server.retryAtMs) return;
    const pauseMs = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** server.failures) * (0.75 + random() / 2);
    server.retryAtMs = now() + pauseMs;
    server.failures++;
    if (server.failures === 1)
      emit({ event: 'directory.down', server: settings.name, url: server.name, error: oneLine(detail) });
  }

  function well(server: Server): void {
    if (server.failures > 0) emit({ event: 'directory.up', server: settings.name, url: server.name });
    server.failures = 0;
    server.retryAtMs = -Infinity;
  }

  /** It counts until it is closed. */
  function discard(lent: Lent): void {
    // By the deadline nothing is left of it, and nobody waits for it.
    void lent.connection.close(now() + GOODBYE_MS);
  }

  return {
    search,
    async close() {
      closed = true;
      const goodbyes = [...live].map((lent) => lent.connection.close(now() + GOODBYE_MS));
      for (const one of waiting) one.answer({ kind: 'down', detail: 'the gateway is closing' });
      await Promise.all(goodbyes);
      closing.abort();
      await connecting;
    },
  };
}

function urlOf({ host, port, implicitTls }: LdapUrl): string {
  return `${implicitTls ? 'ldaps' : 'ldap'}://${hostPort(host, port)}`;
}

function remove<T>(list: T[], item: T): void {
  const at = list.indexOf(item);
  if (at !== -1) list.splice(at, 1);
}
