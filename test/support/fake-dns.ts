/** A name server that does as it is told, over UDP and TCP on one port of 127.0.0.1. Every question is counted. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import dnsPacket, { type Answer, type Packet } from 'dns-packet';

export type FakeRecordType = 'A' | 'AAAA' | 'MX' | 'CNAME' | 'PTR';

/** `data`: an address, a name, or for MX the preference and the exchange. */
export type FakeRecord = Readonly<{ type: FakeRecordType; data: string | readonly [number, string]; ttl?: number }>;

/** What the server does about a name, or about one type of a name (`MX example.com`). Records of another type than asked for are not sent, but CNAMEs are followed. */
export type FakeZone = Record<string, readonly FakeRecord[] | 'NXDOMAIN' | 'SERVFAIL' | 'REFUSED' | 'silent'>;

export type FakeDns = Readonly<{
  /** `127.0.0.1:port`, as `dns.servers` wants it. */
  at: string;
  /** May be changed at any time. A name that is not in it does not exist. */
  zone: FakeZone;
  /** Every question in order of arrival, `MX example.com`. */
  asked: string[];
  /** Resolves when the question arrives the next time. */
  arrival(question: string): Promise<void>;
  stop(): Promise<void>;
}>;

const CODES = { NXDOMAIN: 3, SERVFAIL: 2, REFUSED: 5 } as const;
const TRUNCATED = 1 << 9;
const MAX_CNAMES = 8;

/** `truncate`: answers over UDP come without records and with the TC bit, so that the client has to ask over TCP. */
export async function startFakeDns(
  zone: FakeZone,
  options: { port?: number; truncate?: boolean } = {},
): Promise<FakeDns> {
  const asked: string[] = [];
  const waiting = new Map<string, (() => void)[]>();
  const sockets = new Set<Socket>();

  function answer(message: Buffer, truncate: boolean): Packet | null {
    const query = dnsPacket.decode(message);
    const [question] = query.questions ?? [];
    if (question === undefined) return null;
    const name = question.name.toLowerCase();
    const asking = `${question.type} ${name}`;
    asked.push(asking);
    for (const wake of waiting.get(asking) ?? []) wake();
    waiting.delete(asking);
    const reply: Packet = {
      type: 'response',
      id: query.id ?? 0,
      flags: dnsPacket.RECURSION_AVAILABLE,
      questions: [question],
    };
    if (truncate) return { ...reply, flags: dnsPacket.RECURSION_AVAILABLE | TRUNCATED };
    const found = find(zone, question.type, name);
    if (found === 'silent') return null;
    if (typeof found === 'string') return { ...reply, flags: dnsPacket.RECURSION_AVAILABLE | CODES[found] };
    return { ...reply, answers: found };
  }

  const udp = createSocket('udp4');
  udp.on('message', (message, from) => {
    const reply = answer(message, options.truncate ?? false);
    if (reply !== null) udp.send(dnsPacket.encode(reply), from.port, from.address);
  });
  const tcp = createServer((socket) => {
    sockets.add(socket);
    let received = Buffer.alloc(0);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0);
        const reply = answer(received.subarray(2, end), false);
        received = received.subarray(end);
        if (reply !== null) socket.write(dnsPacket.streamEncode(reply));
      }
    });
  });
  tcp.listen(options.port ?? 0, '127.0.0.1');
  await once(tcp, 'listening');
  const bound = tcp.address();
  if (bound === null || typeof bound === 'string') throw new Error('the fake name server has no port');
  udp.bind(bound.port, '127.0.0.1');
  await once(udp, 'listening');

  let stopped = false;
  return {
    at: `127.0.0.1:${bound.port}`,
    zone,
    asked,
    arrival: (question) =>
      new Promise((resolve) => waiting.set(question, [...(waiting.get(question) ?? []), () => resolve()])),
    async stop() {
      if (stopped) return;
      stopped = true;
      for (const socket of sockets) socket.destroy();
      await Promise.all([
        new Promise<void>((resolve) => udp.close(() => resolve())),
        new Promise<void>((resolve) => tcp.close(() => resolve())),
      ]);
    },
  };
}

type Found = Answer[] | Exclude<FakeZone[string], readonly FakeRecord[]>;

function find(zone: FakeZone, type: string, name: string, cnames = 0): Found {
  const told = zone[`${type} ${name}`] ?? zone[name];
  if (told === undefined) return Object.keys(zone).some((key) => key.endsWith(` ${name}`)) ? [] : 'NXDOMAIN';
  if (typeof told === 'string') return told;
  const alias = told.find((record) => record.type === 'CNAME');
  if (alias !== undefined && typeof alias.data === 'string') {
    const first = toAnswer(name, alias);
    const rest = cnames < MAX_CNAMES ? find(zone, type, alias.data, cnames + 1) : [];
    return typeof rest === 'string' ? rest : [first, ...rest];
  }
  return told.filter((record) => record.type === type).map((record) => toAnswer(name, record));
}

function toAnswer(name: string, { type, data, ttl = 300 }: FakeRecord): Answer {
  if (typeof data !== 'string') {
    const [preference, exchange] = data;
    return { type: 'MX', name, ttl, data: { preference, exchange } };
  }
  if (type === 'MX') throw new Error(`the MX of ${name} needs a preference and an exchange`);
  return { type, name, ttl, data };
}
