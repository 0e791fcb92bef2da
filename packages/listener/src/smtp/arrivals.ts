import { BlockList, isIP, type Socket } from 'node:net';
import type { Emit, ListenerSettings, Network } from '@callahead/core';
import type { Arrival } from './connection.ts';
import { createAlarm } from './deadlines.ts';
import { createHandshakes, type Handshake, type ShakeHands } from './handshake.ts';
import { type ProxiedClient, readProxyHeader } from './proxy.ts';

/** From a socket to a client with whom one can talk. */
export type Arrivals = Readonly<{
  /** `arrived` is called when the client's address is known and, where TLS comes first, the handshake is over; at once where nothing is waited for. */
  receive(socket: Socket, arrived: (arrival: Arrival) => void): void;
  /** A handshake in the midst of a session. Never rejects; never called where there is no TLS. */
  secure(plain: Socket, about: About): Promise<Handshake>;
  /** How many have not arrived yet. */
  waiting(): number;
  /** Cuts these off: they were not greeted. */
  cut(): void;
}>;

type About = Readonly<{ session: string; listener: string; client: string }>;

export type ArrivalsOptions = Readonly<{
  settings: ListenerSettings;
  emit: Emit;
  now: () => number;
  /** Somebody went, or was sent away, before arriving. */
  left: () => void;
}>;

/** SPEC 9.2. */
const PROXY_HEADER_MS = 5_000;
/** The longest that a handshake may take, whatever a command may. */
const HANDSHAKE_MS = 60_000;

export function createArrivals({ settings, emit, now, left }: ArrivalsOptions): Arrivals {
  const { name: listener, tls, proxyProtocol, limits } = settings;
  const timeoutMs = Math.min(limits.commandTimeoutMs, HANDSHAKE_MS);
  const shakeHands: ShakeHands = tls === null ? noTls : createHandshakes({ tls, timeoutMs, now });
  const isTrusted = trusted(proxyProtocol?.trusted ?? []);
  const waiting = new Set<Socket>();

  function receive(socket: Socket, arrived: (arrival: Arrival) => void): void {
    const { remoteAddress: address, remotePort: port = 0 } = socket;
    // It has gone already.
    if (address === undefined) {
      socket.destroy();
      return;
    }
    const arrival = { socket, address, port, encryption: null };
    const isProxy = isTrusted(address);
    if (!isProxy && tls?.mode !== 'implicit') arrived(arrival);
    else void introduce(arrival, isProxy, arrived); // it never rejects
  }

  async function introduce(arrival: Arrival, isProxy: boolean, arrived: (arrival: Arrival) => void): Promise<void> {
    const { socket } = arrival;
    // A client that goes is no error here, and a connection has listeners of its own.
    const ignore = (): void => {};
    waiting.add(socket);
    socket.on('error', ignore);
    const known = isProxy ? await proxied(arrival) : arrival;
    const ready = known === null || tls?.mode !== 'implicit' ? known : await encrypted(known);
    waiting.delete(socket);
    if (ready === null || ready.socket.destroyed) return left();
    arrived(ready);
    socket.off('error', ignore);
  }

  /** The client that the proxy tells of. */
  async function proxied(arrival: Arrival): Promise<Arrival | null> {
    const { socket } = arrival;
    const header = await readHeader(socket, now);
    if (header.kind === 'known') return { ...arrival, ...header.client };
    socket.destroy();
    if (header.kind === 'refused')
      emit({ event: 'proxy.refused', listener, proxy: arrival.address, reason: header.reason });
    return null;
  }

  async function encrypted(arrival: Arrival): Promise<Arrival | null> {
    const shaken = await shakeHands(arrival.socket);
    if (shaken.kind === 'secure') return { ...arrival, socket: shaken.socket, encryption: shaken.encryption };
    emit({ event: 'session.not-secured', session: '', listener, client: arrival.address, reason: shaken.reason });
    return null;
  }

  async function secure(plain: Socket, about: About): Promise<Handshake> {
    const shaken = await shakeHands(plain);
    if (shaken.kind === 'secure') emit({ event: 'session.secured', ...about, ...shaken.encryption });
    else emit({ event: 'session.not-secured', ...about, reason: shaken.reason });
    return shaken;
  }

  return {
    receive,
    secure,
    waiting: () => waiting.size,
    cut() {
      for (const socket of waiting) socket.destroy();
    },
  };
}

type Header =
  | Readonly<{ kind: 'known'; client: ProxiedClient }>
  | Readonly<{ kind: 'refused'; reason: string }>
  /** Nothing was said, as when a proxy only looks whether somebody listens. */
  | Readonly<{ kind: 'left' }>;

/** Reads the header and no more: what follows stays in the socket, which reads nothing until somebody else wants it. */
function readHeader(socket: Socket, now: () => number): Promise<Header> {
  return new Promise((resolve) => {
    let octets: Buffer = Buffer.alloc(0);
    const alarm = createAlarm(now, () => end({ kind: 'refused', reason: 'no PROXY header in time' }));

    function end(header: Header): void {
      alarm.clear();
      socket.off('data', read);
      socket.off('end', left);
      socket.off('close', left);
      resolve(header);
    }

    function read(chunk: Buffer): void {
      octets = octets.length === 0 ? chunk : Buffer.concat([octets, chunk]);
      const header = readProxyHeader(octets);
      if (header.kind === 'more') return;
      socket.pause();
      if (header.kind === 'header' && header.rest.length > 0) socket.unshift(header.rest);
      end(header.kind === 'bad' ? { kind: 'refused', reason: header.why } : { kind: 'known', client: header.client });
    }

    function left(): void {
      end(octets.length === 0 ? { kind: 'left' } : { kind: 'refused', reason: 'the PROXY header breaks off' });
    }

    alarm.set(now() + PROXY_HEADER_MS);
    socket.on('data', read);
    socket.on('end', left);
    socket.on('close', left);
  });
}

function trusted(networks: readonly Network[]): (address: string) => boolean {
  const list = new BlockList();
  for (const { address, prefix } of networks) list.addSubnet(address, prefix, familyOf(address));
  // An IPv4 client of an IPv6 socket is found by its IPv4 address too.
  return networks.length === 0 ? () => false : (address) => list.check(address, familyOf(address));
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6';
}

/** STARTTLS is not offered, and so nobody comes here. */
async function noTls(plain: Socket): Promise<Handshake> {
  plain.destroy();
  return { kind: 'failed', reason: 'no TLS here' };
}
