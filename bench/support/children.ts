/** Programs that a bench starts, and ends. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Load, LoadResult } from '../programs/load.ts';
import { cpuSecondsOf, megabytesOf } from './processes.ts';

/** A server under measurement. `pid` is the root of its processes. */
export type Peer = Readonly<{ name: string; port: number; pid: number; stop(): Promise<void> }>;

/** What a load did, and what it cost the server: CPU in µs for each recipient answered, memory in MB in the middle of the window. */
export type Measured = LoadResult & Readonly<{ rate: number; cpuUs: number; megabytes: number }>;

export type LoadOptions = Partial<Load> & Readonly<{ port: number }>;

const DEFAULTS: Omit<Load, 'port'> = {
  sessions: 100,
  arrivals: null,
  recipients: 100,
  pipelined: true,
  prefix: 'u',
  distinct: 10_000,
  domains: null,
  rampSeconds: 0.5,
  seconds: 2,
};

const STOP_MS = 45_000;

const alive = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});
// So that what is above runs.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Starts `bench/programs/NAME.ts`, which prints its port. */
export async function startProgram(name: string, ...args: readonly string[]): Promise<Peer> {
  const file = here(`../programs/${name}.ts`);
  const child = tie(spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] }));
  return { name, port: Number(await firstLine(child)), pid: pidOf(child), stop: () => stop(child) };
}

/** Runs the load generator in a process of its own. Recipients a second (`rate`) are those accepted. */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const all: Load = { ...DEFAULTS, ...options };
  const { stdout } = await promisify(execFile)(process.execPath, [here('../programs/load.ts'), JSON.stringify(all)]);
  return JSON.parse(stdout) as LoadResult;
}

/** Runs a load against a server and watches what it takes. */
export async function measure(peer: Peer, options: Omit<LoadOptions, 'port'>): Promise<Measured> {
  const { rampSeconds = DEFAULTS.rampSeconds, seconds = DEFAULTS.seconds } = options;
  const before = cpuSecondsOf(peer.pid);
  let megabytes = Number.NaN;
  const look = setTimeout(
    () => {
      megabytes = megabytesOf(peer.pid);
    },
    (rampSeconds + seconds / 2) * 1_000,
  );
  const result = await load({ ...options, port: peer.port });
  clearTimeout(look);
  const cpuUs = ((cpuSecondsOf(peer.pid) - before) * 1e6) / result.answered;
  return { ...result, rate: result.accepted / result.seconds, cpuUs, megabytes };
}

/** Resolves with the first line that a child prints; rejects when it ends before. */
export function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    if (child.stdout === null) throw new Error('it must talk on its standard output');
    createInterface(child.stdout).once('line', resolve);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${child.spawnargs.join(' ')} ended with ${code}`)));
  });
}

export function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error(`${child.spawnfile} did not start`);
  return child.pid;
}

/** Ends a child with this process, however this one ends. Returns the child. */
export function tie<Child extends ChildProcess>(child: Child): Child {
  alive.add(child);
  child.once('exit', () => alive.delete(child));
  return child;
}

/** Asks a child to end, and ends it when it does not. */
export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await ended;
  clearTimeout(late);
}
