import type { Socket } from 'node:net';
import type { LdapServerSettings, LdapUrl } from '@callahead/core';
import { Client, type Entry, ResultCodeError } from 'ldapts';
import { by } from './deadline.ts';
import { messageOf, openSocket, type Until } from './directory-socket.ts';
import { readMessages } from './ldap-messages.ts';

/** What to search. `fixedBase`: the base is the same for every recipient, so that it not being there is a fault and no answer. */
export type DirectoryQuery = Readonly<{
  base: string;
  fixedBase: boolean;
  scope: 'sub' | 'one' | 'base';
  filter: string;
  attributes: readonly string[];
}>;

/** An entry with the attributes that were asked for: names in lower case, values as texts. */
export type DirectoryEntry = Readonly<{ dn: string; values: ReadonlyMap<string, readonly string[]> }>;

/** `refused`: the directory said that it will not answer this. `closed`: the connection ended first. `unfit`: the server is silent or busy, and the connection was taken down. */
export type Searched =
  | Readonly<{ kind: 'found'; entries: readonly DirectoryEntry[] }>
  | Readonly<{ kind: 'refused'; detail: string }>
  | Readonly<{ kind: 'closed' | 'unfit'; detail: string }>;

/** A connection to a directory, bound. One search at a time: one that is late takes the connection, and all that wait on it, down. */
export type DirectoryConnection = Readonly<{
  search(query: DirectoryQuery, deadlineMs: number): Promise<Searched>;
  /** Says goodbye; by the deadline nothing is left of the connection. */
  close(deadlineMs: number): Promise<void>;
  onClosed(listener: () => void): void;
}>;

export type Connected =
  | Readonly<{ kind: 'connected'; connection: DirectoryConnection }>
  | Readonly<{ kind: 'failed'; detail: string }>;

/** Two entries are enough to see that entries disagree; a third is never asked for. */
const MAX_ENTRIES = 2;
/** More octets than this are no answer about mail hosts. */
const MAX_ANSWER_OCTETS = 1024 * 1024;
/** Connects and binds, anonymously where nobody is to be bound. By the deadline there is a connection, or nothing is left of it. */
export async function openDirectoryConnection(
  url: LdapUrl,
  settings: LdapServerSettings,
  until: Until,
): Promise<Connected> {
  const opened = await openSocket(url, settings.tls, until);
  if (opened.kind === 'failed') return opened;
  const { socket } = opened;
  const talk = converse(socket, until.now);
  const { dn, password } = settings.bind ?? { dn: '', password: null };
  const bound = await talk.say((client) => client.bind(dn, password?.reveal() ?? ''), until.deadlineMs);
  if (bound.kind === 'said') return { kind: 'connected', connection: connectionOf(socket, talk) };
  socket.destroy();
  return { kind: 'failed', detail: `bind: ${bound.detail}` };
}

function connectionOf(socket: Socket, talk: Talk): DirectoryConnection {
  return {
    async search(query, deadlineMs) {
      const { base, scope, filter, attributes } = query;
      const asked = await talk.say(
        (client) => client.search(base, { scope, filter, attributes: [...attributes], sizeLimit: MAX_ENTRIES }),
        deadlineMs,
      );
      if (asked.kind === 'said') return { kind: 'found', entries: asked.value.searchEntries.map(entryOf) };
      if (asked.code === NO_SUCH_OBJECT && !query.fixedBase) return { kind: 'found', entries: [] };
      if (asked.code !== null && !UNAVAILABLE.has(asked.code)) return { kind: 'refused', detail: asked.detail };
      const kind = socket.destroyed ? 'closed' : 'unfit';
      socket.destroy();
      return { kind, detail: asked.detail };
    },
    async close(deadlineMs) {
      await talk.say((client) => client.unbind(), deadlineMs);
      socket.destroy();
    },
    onClosed(listener) {
      if (socket.destroyed) listener();
      else socket.once('close', listener);
    },
  };
}

/** Result codes of RFC 4511 appendix A.2. */
const NO_SUCH_OBJECT = 32;
/** busy and unavailable: another server of the same directory may answer. */
const UNAVAILABLE: ReadonlySet<number> = new Set([51, 52]);

type Outcome<T> =
  | Readonly<{ kind: 'said'; value: T }>
  | Readonly<{ kind: 'unsaid'; detail: string; code: number | null }>;

type Talk = Readonly<{ say<T>(operation: (client: Client) => Promise<T>, deadlineMs: number): Promise<Outcome<T>> }>;

/** The client library over a socket of ours, which it never opens, never times and never outlives (it would leak and hang). */
function converse(socket: Socket, now: () => number): Talk {
  let octets = 0;
  let guarded = false;
  const client = new Client({
    url: 'ldap://directory',
    createConnection: () => {
      if (socket.destroyed) throw new Error('the connection is closed');
      return socket;
    },
  });

  /** Bounds what an answer may be, and hands on nothing that the client library could not bear. */
  function guard(): void {
    guarded = true;
    const listeners = socket.listeners('data') as ((chunk: Buffer) => void)[];
    for (const listener of listeners) socket.off('data', listener);
    socket.on('error', () => {});
    let rest = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      octets += chunk.length;
      const read = readMessages(Buffer.concat([rest, chunk]));
      if (read.kind === 'malformed' || octets > MAX_ANSWER_OCTETS) {
        socket.destroy();
        return;
      }
      rest = Buffer.from(read.rest);
      for (const message of read.messages) for (const listener of listeners) listener(message);
    });
  }

  return {
    say(operation, deadlineMs) {
      octets = 0;
      const answer = operation(client);
      if (!guarded) guard();
      const said = answer.then((value) => ({ kind: 'said', value }) as const, unsaid);
      return by(said, deadlineMs, now, () => unsaid(new Error('no answer in time')));
    },
  };
}

function unsaid(error: unknown): Extract<Outcome<never>, { kind: 'unsaid' }> {
  return { kind: 'unsaid', detail: messageOf(error), code: error instanceof ResultCodeError ? error.code : null };
}

function entryOf({ dn, ...attributes }: Entry): DirectoryEntry {
  const values = Object.entries(attributes).map(([name, value]): [string, readonly string[]] => [
    name.toLowerCase(),
    [value].flat().map((one) => one.toString()),
  ]);
  return { dn, values: new Map(values) };
}
