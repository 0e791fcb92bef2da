import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Load, LoadResult } from './load.ts';

export type Peer = Readonly<{ port: number; stop(): Promise<void> }>;

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Starts `bench/peers/NAME.ts`, which prints its port. */
export async function startPeer(name: string): Promise<Peer> {
  const child = spawn(process.execPath, [here(`../peers/${name}.ts`)], { stdio: ['ignore', 'pipe', 'inherit'] });
  return { port: Number(await firstLine(child)), stop: () => stop(child) };
}

/** Starts the gateway itself, as a user would, before the server on `sinkPort`. Its log goes to a file as in production, not to a pipe that somebody must read. */
export async function startGateway(sinkPort: number, profile: Readonly<Record<string, unknown>> = {}): Promise<Peer> {
  const folder = mkdtempSync(join(tmpdir(), 'callahead-bench-'));
  const file = join(folder, 'callahead.yaml');
  const configuration = {
    hostname: 'gateway.example',
    listeners: {
      inbound: {
        type: 'public',
        listen: ['127.0.0.1:0'],
        callAheadProfile: 'sink',
        recipientAccess: 'ours',
        relay: false,
      },
    },
    callAheadProfiles: {
      sink: { serverType: 'static', servers: `127.0.0.1:${sinkPort}`, cacheSize: 1_000_000, ...profile },
    },
    recipientAccess: { ours: [{ match: ['example.com'], action: 'accept' }] },
  };
  writeFileSync(file, JSON.stringify(configuration));
  const log = join(folder, 'log');
  const child = spawn(here('../../node_modules/.bin/callahead'), ['serve', '-c', file], {
    stdio: ['ignore', openSync(log, 'w'), 'inherit'],
  });
  const ready = await readyLine(log);
  const { listeners } = JSON.parse(ready) as { listeners: { inbound: string[] } };
  return {
    port: Number(listeners.inbound[0]?.split(':').at(-1)),
    async stop() {
      await stop(child);
      rmSync(folder, { recursive: true });
    },
  };
}

/** Runs the load generator in a process of its own. */
export async function load(options: Load): Promise<LoadResult> {
  const { stdout } = await promisify(execFile)(process.execPath, [here('./load.ts'), JSON.stringify(options)]);
  return JSON.parse(stdout) as LoadResult;
}

/** The machine, for the head of a table. */
export function machine(): string {
  return `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}`;
}

export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

async function readyLine(log: string): Promise<string> {
  for (let tries = 0; tries < 500; tries++) {
    const ready = readFileSync(log, 'utf8')
      .split('\n')
      .find((line) => line.includes('"msg":"ready"'));
    if (ready !== undefined) return ready;
    await setTimeout(20);
  }
  throw new Error(`the gateway is not ready: ${readFileSync(log, 'utf8')}`);
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    if (child.stdout === null) throw new Error('a peer talks on its standard output');
    createInterface(child.stdout).once('line', resolve);
    child.once('exit', (code) => reject(new Error(`${child.spawnargs.join(' ')} ended with ${code}`)));
  });
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });
}
