/** Installs what package.json and pnpm-lock.yaml ask for. Runs on any Node from 20 on, with nothing installed. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';

const PNPM = 'pnpm@12.21.0';

export const ROOT = join(import.meta.dirname, '..');
const BIN = join(ROOT, 'node_modules', '.bin');
const STAMP = join(ROOT, 'node_modules', '.installed');

/** The Node 24 of the workspace: the machine's own may be older. */
export const NODE = join(BIN, 'node');

/** Installs the npm packages unless node_modules already is what pnpm-lock.yaml says. Throws with pnpm's own words. */
export function install() {
  const wanted = fingerprint();
  if (existsSync(NODE) && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return;
  say('installing the npm packages of pnpm-lock.yaml');
  pnpm(['install', '--frozen-lockfile']);
  if (!existsSync(NODE))
    throw new Error(`pnpm finished, but ${NODE} is missing: package.json must keep the dependency "node"`);
  writeFileSync(STAMP, wanted);
}

/** Runs pnpm with `args` in `cwd`, silent unless it fails. Returns its standard output. */
export function pnpm(args, cwd = ROOT) {
  const done = spawnSync('npx', ['--yes', PNPM, ...args], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, CI: 'true' },
  });
  if (done.error) throw new Error(`npx does not start, npm is needed once to fetch ${PNPM}: ${done.error.message}`);
  if (done.status !== 0)
    throw new Error(`pnpm ${args.join(' ')} failed (${outcome(done)}):\n${done.stdout}${done.stderr}`);
  return done.stdout;
}

/** Runs a program in the workspace with the terminal as its own, passes signals on, and resolves to its exit code. */
export function run(program, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: ROOT, stdio: 'inherit', env: environment() });
    // Ctrl-C on a terminal reaches the child by itself, and a second SIGINT would mean "now".
    process.on('SIGINT', (signal) => process.stdin.isTTY || child.kill(signal));
    for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
}

/** As `run`, with the output kept; resolves to its exit code and everything it wrote. */
export function runQuietly(program, args) {
  const done = spawnSync(program, args, {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment(),
  });
  return { code: done.status ?? 1, output: `${done.stdout ?? ''}${done.stderr ?? ''}${done.error?.message ?? ''}` };
}

/** Ends the process with what `main` resolves to, or with 1 and the message of what it throws. */
export function exitWith(main) {
  main().then(
    (code) => {
      process.exitCode = code;
    },
    (error) => {
      process.stderr.write(`${error.message}\n`);
      process.exitCode = 1;
    },
  );
}

export function bin(name) {
  return join(BIN, name);
}

export function say(line) {
  process.stderr.write(`${line}\n`);
}

function environment() {
  return { ...process.env, PATH: `${BIN}${delimiter}${process.env.PATH}` };
}

// Contents, not times: a checkout of another commit may make the lock file newer or older at will.
function fingerprint() {
  const hash = createHash('sha256');
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml']) hash.update(readFileSync(join(ROOT, file)));
  return hash.digest('hex');
}

function outcome({ status, signal }) {
  return signal === null ? `exit code ${status}` : signal;
}
