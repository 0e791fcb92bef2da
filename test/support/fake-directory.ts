/** A scripted directory: what a real one does only on its worst days. */
import { createServer, type Socket } from 'node:net';

/**
 * What becomes of a search: `answer` with the entries of the script, after `delayMs`; `mute`: nothing; `close`: the connection; `busy`: result 51;
 * `garbage`: octets that are no LDAP; `flood`: entries without end; `confetti`: many tiny messages in one read;
 * `overlong`: an entry with a length that points behind it.
 */
export type Mood = 'answer' | 'mute' | 'close' | 'busy' | 'denied' | 'garbage' | 'flood' | 'confetti' | 'overlong';

/** Attributes by their names. */
export type FakeEntry = Readonly<{ dn: string; attributes: Readonly<Record<string, readonly string[]>> }>;

export type FakeDirectory = Readonly<{
  port: number;
  /** May be changed while it runs. `bind`: it answers a bind too as its mood says, or as if nothing was wrong. */
  script: {
    mood: Mood;
    bind: 'well' | 'mute' | 'refuse';
    startTls: 'refuse' | 'mute' | 'close' | 'inject' | 'break';
    delayMs: number;
    entries: readonly FakeEntry[];
  };
  /** Searches, binds and connections so far; `open`: connections at this moment, `most`: ever at once. */
  counts: Readonly<{ searches: number; binds: number; connections: number; open: number; most: number }>;
  /** Ends all connections and, until `listen`, refuses new ones. */
  down(): Promise<void>;
  listen(): Promise<void>;
  stop(): Promise<void>;
}>;

export async function startFakeDirectory(script: Partial<FakeDirectory['script']> = {}): Promise<FakeDirectory> {
  const state: FakeDirectory['script'] = {
    mood: 'answer',
    bind: 'well',
    startTls: 'refuse',
    delayMs: 0,
    entries: [],
    ...script,
  };
  const counts = { searches: 0, binds: 0, connections: 0, open: 0, most: 0 };
  const sockets = new Set<Socket>();
  const timers = new Set<NodeJS.Timeout>();

  const server = createServer((socket) => {
    counts.connections++;
    counts.open++;
    counts.most = Math.max(counts.most, counts.open);
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      counts.open--;
      sockets.delete(socket);
    });
    let octets = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      octets = Buffer.concat([octets, chunk]);
      for (let request = readRequest(octets); request !== null; request = readRequest(octets)) {
        octets = octets.subarray(request.octets);
        hear(socket, request.id, request.operation);
      }
    });
  });

  function hear(socket: Socket, id: number, operation: number): void {
    if (operation === BIND) {
      counts.binds++;
      if (state.bind !== 'mute') socket.write(result(id, BIND + 1, state.bind === 'well' ? 0 : 49));
    } else if (operation === EXTENDED) startTls(socket, id);
    else if (operation === SEARCH) {
      counts.searches++;
      const timer = setTimeout(() => {
        timers.delete(timer);
        if (!socket.destroyed) reply(socket, id);
      }, state.delayMs);
      timers.add(timer);
    } else socket.end();
  }

  function startTls(socket: Socket, id: number): void {
    if (state.startTls === 'refuse') socket.write(result(id, EXTENDED + 1, 52));
    if (state.startTls === 'close') socket.destroy();
    if (state.startTls === 'break')
      socket.write(Buffer.concat([result(id, EXTENDED + 1, 0)]), () => socket.end('no TLS'));
    // A search result for the first question that comes encrypted, sent before anything is.
    if (state.startTls === 'inject')
      socket.write(Buffer.concat([result(id, EXTENDED + 1, 0), result(id + 1, DONE, 0)]));
  }

  function reply(socket: Socket, id: number): void {
    const { mood, entries } = state;
    if (mood === 'answer')
      socket.write(Buffer.concat([...entries.map((one) => entryMessage(id, one)), result(id, DONE, 0)]));
    if (mood === 'close') socket.destroy();
    if (mood === 'busy') socket.write(result(id, DONE, 51));
    if (mood === 'denied') socket.write(result(id, DONE, 50));
    if (mood === 'garbage') socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
    if (mood === 'overlong') socket.write(message(id, Buffer.from([ENTRY, 0x06, 0x04, 0x00, 0x30, 0x7f, 0x30, 0x00])));
    if (mood === 'flood') flood(socket, id);
    if (mood === 'confetti') socket.write(Buffer.concat(Array.from({ length: 20_000 }, () => tiny(id))));
  }

  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => resolve());
    });
  await listen(0);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;

  const down = (): Promise<void> =>
    new Promise((resolve) => {
      for (const timer of timers) clearTimeout(timer);
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  return { port, script: state, counts, down, listen: () => listen(port), stop: down };
}

function flood(socket: Socket, id: number): void {
  const many = Buffer.concat(
    Array.from({ length: 100 }, (_, i) =>
      entryMessage(id, { dn: `cn=${i}`, attributes: { mailHost: ['x'.repeat(500)] } }),
    ),
  );
  // With an error the socket is not destroyed yet, and would call back at once, for ever.
  const more = (error?: Error | null): void => {
    if (!error && !socket.destroyed) socket.write(many, more);
  };
  more();
}

const BIND = 0x60;
const SEARCH = 0x63;
const DONE = 0x65;
const ENTRY = 0x64;
const EXTENDED = 0x77;

/** The first request: its number, its operation, and how many octets it has. */
function readRequest(octets: Buffer): Readonly<{ id: number; operation: number; octets: number }> | null {
  const first = octets[1] ?? 0;
  const size = first < 0x80 ? 0 : first - 0x80;
  const length = size === 0 ? first : Number.parseInt(octets.subarray(2, 2 + size).toString('hex') || '0', 16);
  const from = 2 + size;
  if (octets.length < 2 || octets.length < from + length) return null;
  const idSize = octets[from + 1] ?? 0;
  const id = Number.parseInt(octets.subarray(from + 2, from + 2 + idSize).toString('hex'), 16);
  return { id, operation: octets[from + 2 + idSize] ?? 0, octets: from + length };
}

function result(id: number, operation: number, code: number): Buffer {
  return message(id, tlv(operation, tlv(0x0a, Buffer.from([code])), text(''), text('')));
}

function entryMessage(id: number, { dn, attributes }: FakeEntry): Buffer {
  const list = Object.entries(attributes).map(([name, values]) =>
    tlv(0x30, text(name), tlv(0x31, ...values.map(text))),
  );
  return message(id, tlv(ENTRY, text(dn), tlv(0x30, ...list)));
}

function tiny(id: number): Buffer {
  return message(id + 1, tlv(ENTRY, text(''), tlv(0x30)));
}

function message(id: number, operation: Buffer): Buffer {
  return tlv(0x30, tlv(0x02, Buffer.from([id])), operation);
}

function text(value: string): Buffer {
  return tlv(0x04, Buffer.from(value));
}

/** X.690 §8.1: tag, length, contents. */
function tlv(tag: number, ...contents: readonly Buffer[]): Buffer {
  const body = Buffer.concat(contents);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([Buffer.from([tag, 0x84]), length, body]);
}
