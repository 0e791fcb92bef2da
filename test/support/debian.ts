/** Programs of Debian packages, and the ground that real servers stand on: free ports, folders of their own, processes that end with the test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

type Packages = Readonly<Record<string, readonly string[]>>;

const ROOT = join(import.meta.dirname, '..', '..');
const LISTED: Readonly<{ install: Packages; unpack: Packages }> = JSON.parse(
  readFileSync(join(ROOT, 'scripts', 'debian-packages.json'), 'utf8'),
);

/** The path of a program that scripts/debian-packages.json lists. Throws with the name of the package when it is not there. */
export function program(name: string): string {
  const installed = find(LISTED.install, name);
  const unpacked = find(LISTED.unpack, name);
  const found = installed ?? unpacked;
  if (found === null) throw new Error(`scripts/debian-packages.json lists no package with the program ${name}`);
  const path = unpacked === null ? found.path : join(ROOT, '.cache', 'debian', found.packageName, found.path);
  if (existsSync(path)) return path;
  throw new Error(
    `${name} is missing: it comes with the Debian package ${found.packageName}, which npm test as root installs`,
  );
}

/** Real mail servers change to users of their own, which only root may. */
export function needRoot(server: string): void {
  if (process.getuid?.() !== 0) throw new Error(`${server} has to be started as root: run npm test as root`);
}

/** A TCP port of 127.0.0.1 that was free a moment ago, for servers that cannot choose one themselves. */
export async function freePort(): Promise<number> {
  // Below the range that the kernel gives to clients, any of which could take the port before the server does.
  const port = randomInt(10_000, 32_000);
  return (await listens(port)) ? port : freePort();
}

function listens(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

export async function temporaryFolder(name: string): Promise<Readonly<{ path: string; remove(): Promise<void> }>> {
  const path = await mkdtemp(join(tmpdir(), `callahead-${name}-`));
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/** How a program ended, with everything it wrote. */
export type Finished = Readonly<{ code: number | null; output: string }>;

/** Runs a program to its end; after `timeoutMs` it is killed and the promise rejects. */
export async function finish(path: string, args: readonly string[], timeoutMs = 60_000, input = ''): Promise<Finished> {
  const child = spawn(path, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk;
  });
  // A program that ends before it has read its input is no failure of ours.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const end = exitCode(child);
  try {
    const code = await within(end, timeoutMs, () => `${basename(path)} ${args.join(' ')} does not end: ${output}`);
    return { code, output };
  } finally {
    child.kill('SIGKILL');
  }
}

/** Resolves when a child has ended and its output is complete; null: by a signal. Rejects when it did not start. */
export function exitCode(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
}

/** As `promise`, but rejects after `timeoutMs` with what `describe` says then. */
export async function within<T>(promise: Promise<T>, timeoutMs: number, describe: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${describe()} (waited ${timeoutMs} ms)`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves once something accepts connections on a port of 127.0.0.1. For servers that say nothing when they are ready. */
export async function listening(port: number): Promise<void> {
  while (!(await connects(port))) await pause(20);
}

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

function find(packages: Packages, name: string): Readonly<{ packageName: string; path: string }> | null {
  for (const [packageName, paths] of Object.entries(packages)) {
    const path = paths.find((each) => basename(each) === name);
    if (path !== undefined) return { packageName, path };
  }
  return null;
}
