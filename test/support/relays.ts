/** A relay before fake mail servers. */
import type { Socket } from 'node:net';
import type { DeliveryRoute, DeliverySettings, Protocol, Recipient, Verdict } from '@callahead/core';
import type { ExecutionContext } from 'ava';
import { createConnections } from '../../packages/listener/src/connections.ts';
import { createHolds, type Holds } from '../../packages/listener/src/refusals.ts';
import { createRelay, type Relay, type RelayOptions } from '../../packages/listener/src/relay.ts';
import type { Envelope } from '../../packages/listener/src/transaction.ts';
import { type FakeOptions, type FakeServer, startFakeServer } from './fake-server.ts';
import { recipientAt } from './routes.ts';
import { until } from './until.ts';

export const HOSTNAME = 'gateway.example';
export const MESSAGE = 'Subject: hello\r\n\r\n..dots\r\ntext\r\n';

const SETTINGS: DeliverySettings = {
  tls: null,
  maxConnectionsPerServer: 50,
  interface: { kind: 'auto' },
  connectTimeoutMs: 2_000,
  commandTimeoutMs: 5_000,
  endOfDataTimeoutMs: 5_000,
  holdTimeMs: 60_000,
};

export type Bench = Readonly<{
  relay: Relay;
  servers: readonly FakeServer[];
  route: DeliveryRoute;
  holds: Holds;
  settings: DeliverySettings;
  learned: Readonly<{ recipient: string; verdict: Verdict }>[];
  /** Moves the relay's clock on. */
  skip(ms: number): void;
}>;

export type BenchOptions = Readonly<{
  settings?: Partial<DeliverySettings>;
  relay?: Partial<RelayOptions>;
  within?: DeliveryRoute['within'];
  protocol?: Protocol;
  /** How long a connection waits for the next message; left out, it does not. */
  idleMs?: number;
}>;

/** One fake server a place in the route, best first; an array is a tier. All of it is taken down with the test. */
export async function startRelay(
  t: ExecutionContext,
  tiers: readonly (FakeOptions | readonly FakeOptions[])[],
  options: BenchOptions = {},
): Promise<Bench> {
  const started = await Promise.all(
    tiers.map((tier) => Promise.all([tier].flat().map((each) => startFakeServer({ users: ['u@x.example'], ...each })))),
  );
  const servers = started.flat();
  let skipped = 0;
  const now = (): number => performance.now() + skipped;
  const settings = { ...SETTINGS, ...options.settings };
  const holds = createHolds({ holdTimeMs: settings.holdTimeMs, now });
  const connections = createConnections({ now, idleMs: options.idleMs ?? 0 });
  const learned: { recipient: string; verdict: Verdict }[] = [];
  const relay = createRelay({
    settings,
    hostname: HOSTNAME,
    now,
    holds,
    connections,
    learned: ({ address }, verdict) => learned.push({ recipient: address, verdict }),
    ...options.relay,
  });
  t.teardown(async () => {
    await relay.close();
    await connections.close();
    await Promise.all(servers.map((server) => server.stop()));
  });
  const route: DeliveryRoute = {
    key: 'delivery',
    generation: 1,
    tiers: started.map((tier) => tier.map((server) => serverAt(server.port))),
    within: options.within ?? 'rotate',
    protocol: options.protocol ?? 'smtp',
  };
  return { relay, servers, route, holds, settings, learned, skip: (ms) => (skipped += ms) };
}

export function serverAt(port: number, address = '127.0.0.1'): DeliveryRoute['tiers'][number][number] {
  return { kind: 'tcp', host: 'mx.internal', port, targets: [{ name: 'mx.internal', address }] };
}

export function envelopeTo(...addresses: readonly string[]): Envelope {
  const recipients: readonly Recipient[] = (addresses.length > 0 ? addresses : ['u@x.example']).map(recipientAt);
  return { sender: 's@y.example', body: '7BIT', smtpUtf8: false, size: null, recipients };
}

/** What a sender hears in the end: to DATA, or to the end of its message. */
export async function send(
  { relay, route }: Pick<Bench, 'relay' | 'route'>,
  envelope: Envelope = envelopeTo(),
): Promise<Readonly<{ at: 'DATA' | 'end'; code: number; enhanced: string | null; text: string }>> {
  const opened = await relay.open(envelope, route);
  if (opened.kind === 'refused') return { at: 'DATA', ...opened.reply };
  await opened.delivery.write(Buffer.from(MESSAGE));
  return { at: 'end', ...(await opened.delivery.finish()) };
}

/** Resolves when a socket is closed, be it by a reset. */
export function gone(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
}

/** Resolves when every connection is closed at both ends: what is left open makes its test time out. */
export async function allClosed({ relay, servers }: Pick<Bench, 'relay' | 'servers'>): Promise<void> {
  for (const { socket } of servers.flatMap((server) => server.sessions)) {
    await gone(socket.resume());
  }
  await until(() => relay.connections() <= 0);
}
