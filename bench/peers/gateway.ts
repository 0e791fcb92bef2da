/** The gateway itself, as a user would start it, with its log in a file as in production, not in a pipe that somebody must read. */
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Peer, pidOf, stop, tie } from '../support/children.ts';

type Sections = Readonly<Record<string, unknown>>;

export type GatewayOptions = Readonly<{
  /** Where the mail server behind it listens. */
  sinkPort: number;
  /** Keys of the profile, of the listener and its `limits`, and whole sections, in place of those of production. */
  profile?: Sections;
  listener?: Sections;
  limits?: Sections;
  sections?: Sections;
  /** Options of node. */
  nodeOptions?: readonly string[];
}>;

/** `logged` has the lines of its log so far. */
export type GatewayPeer = Peer & Readonly<{ logged(): readonly Sections[] }>;

/** Ten thousand routes take their time. */
const READY_TRIES = 1_500;
const READY_PAUSE_MS = 40;
const MAIN = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));

export async function startGateway(options: GatewayOptions): Promise<GatewayPeer> {
  const folder = mkdtempSync(join(tmpdir(), 'callahead-bench-'));
  const file = join(folder, 'callahead.yaml');
  writeFileSync(file, JSON.stringify(configuration(options)));
  const log = openSync(join(folder, 'log'), 'w');
  const args = [...(options.nodeOptions ?? []), MAIN, 'serve', '-c', file];
  const child = tie(spawn(process.execPath, args, { stdio: ['ignore', log, 'inherit'] }));
  closeSync(log);
  const logged = (): readonly Sections[] => parseLines(readFileSync(join(folder, 'log'), 'utf8'));
  const { listeners } = await ready(logged);
  return {
    name: 'callahead',
    port: Number(listeners.inbound?.[0]?.split(':').at(-1)),
    pid: pidOf(child),
    logged,
    async stop() {
      await stop(child);
      rmSync(folder, { recursive: true });
    },
  };
}

/** A policy with limits, harvest protection that counts, metrics and the log on, as in production. All clients of a bench are one host. */
const POLICY = {
  action: 'accept',
  maxConnectionsPerHost: 100_000,
  maxMessagesPerConnection: 1_000,
  maxRecipientsPerMessage: 1_000,
  maxInvalidRecipientsPerHour: 100_000,
};

function configuration({ sinkPort, profile, listener, limits, sections }: GatewayOptions): Sections {
  return {
    hostname: 'gateway.example',
    listeners: {
      inbound: {
        type: 'public',
        listen: ['127.0.0.1:0'],
        callAheadProfile: 'sink',
        recipientAccess: 'ours',
        hostAccess: 'clients',
        relay: false,
        limits: limits ?? {},
        ...listener,
      },
    },
    callAheadProfiles: {
      sink: { serverType: 'static', servers: `127.0.0.1:${sinkPort}`, cacheSize: 1_000_000, ...profile },
    },
    hostAccess: {
      clients: {
        senderGroups: [
          { name: 'blocked', match: ['203.0.113.0/24'], policy: 'blocked' },
          { name: 'others', match: 'ALL', policy: 'accepted' },
        ],
        policies: { blocked: { action: 'reject' }, accepted: POLICY },
      },
    },
    admin: { listen: '127.0.0.1:0' },
    recipientAccess: { ours: [{ match: ['example.com', '.example.com'], action: 'accept' }] },
    ...sections,
  };
}

type Ready = Readonly<{ listeners: Readonly<Record<string, readonly string[]>> }>;

async function ready(logged: () => readonly Sections[]): Promise<Ready> {
  for (let tries = 0; tries < READY_TRIES; tries++) {
    const line = logged().find(({ msg }) => msg === 'ready');
    if (line !== undefined) return line as Sections & Ready;
    await setTimeout(READY_PAUSE_MS);
  }
  throw new Error(`the gateway is not ready: ${JSON.stringify(logged())}`);
}

/** The last line may not be whole yet. */
function parseLines(text: string): readonly Sections[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Sections);
}
