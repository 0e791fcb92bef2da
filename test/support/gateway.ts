/** `callahead serve` as a child process, as an operator runs it. */
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { exitCode, temporaryFolder, within } from './debian.ts';

/** One JSON line of the gateway's log. */
export type LogLine = Readonly<{ msg: string; event?: string } & Record<string, unknown>>;

export type RunningGateway = Readonly<{
  /** The port of the first socket of a listener. */
  port(listener: string): number;
  /** Writes its file anew, as JSON. */
  configure(configuration: unknown): Promise<void>;
  /** The socket of the HTTP API, as `host:port`; empty where there is none. */
  admin: string;
  log: readonly LogLine[];
  /** Its lines as they were written. */
  lines: readonly string[];
  /** Of its process. */
  pid: number;
  /** The first line that is wanted, once it is there: the log is a pipe, and may come after what it tells of. */
  logged(wanted: (line: LogLine) => boolean): Promise<LogLine>;
  signal(name: NodeJS.Signals): void;
  /** Its exit code, once it has ended; null where a signal killed it. */
  ended: Promise<number | null>;
  /** Ends it by SIGTERM; rejects unless it drains and exits with 0 (SPEC 1.8). */
  stop(): Promise<void>;
  /** Ends it at once, if it has not ended, and leaves nothing of it behind. */
  kill(): Promise<void>;
}>;

const CALLAHEAD = join(import.meta.dirname, '..', '..', 'node_modules', '.bin', 'callahead');

/** Starts the gateway on `configuration`, which is written as JSON: every JSON file is a YAML file. Resolves when it says that it is ready. */
export async function startGateway(
  configuration: unknown,
  environment: NodeJS.ProcessEnv = {},
): Promise<RunningGateway> {
  const folder = await temporaryFolder('gateway');
  const file = join(folder.path, 'callahead.yaml');
  const configure = (content: unknown): Promise<void> => writeFile(file, JSON.stringify(content, null, 2));
  await configure(configuration);
  const child = spawn(CALLAHEAD, ['serve', '-c', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  const end = exitCode(child).finally(folder.remove);
  const log: LogLine[] = [];
  const written: string[] = [];
  const other: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => other.push(chunk.toString()));
  const lines = createInterface({ input: child.stdout });
  const ready = new Promise<LogLine>((resolve) => {
    lines.on('line', (text) => {
      const line = parse(text);
      written.push(text);
      if (line === null) other.push(`${text}\n`);
      else log.push(line);
      if (line?.msg === 'ready') resolve(line);
    });
  });
  async function logged(wanted: (line: LogLine) => boolean): Promise<LogLine> {
    const known = log.find(wanted);
    if (known !== undefined) return known;
    const coming = new Promise<LogLine>((resolve) => {
      lines.on('line', () => {
        const found = log.find(wanted);
        if (found !== undefined) resolve(found);
      });
    });
    return within(coming, 10_000, () => describe('the line is not logged'));
  }

  const describe = (what: string): string => `${what}: ${other.join('')}${JSON.stringify(log.slice(-20))}`;

  async function stop(): Promise<void> {
    child.kill('SIGTERM');
    try {
      const code = await within(end, 40_000, () => describe('callahead serve does not end'));
      if (code !== 0) throw new Error(describe(`callahead serve ended with ${code}`));
    } finally {
      child.kill('SIGKILL');
    }
  }

  async function kill(): Promise<void> {
    child.kill('SIGKILL');
    await end;
  }

  const early = end.then((code) => Promise.reject(new Error(describe(`callahead serve ended with ${code}`))));
  try {
    const { listeners, admin } = await within(Promise.race([ready, early]), 60_000, () => describe('no line "ready"'));
    return {
      port: (listener) => portOf(listeners, listener),
      configure,
      admin: typeof admin === 'string' ? admin : '',
      log,
      lines: written,
      pid: child.pid ?? 0,
      logged,
      signal: (name) => void child.kill(name),
      ended: end,
      stop,
      kill,
    };
  } catch (error) {
    await kill();
    throw error;
  }
}

function parse(text: string): LogLine | null {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function portOf(listeners: unknown, name: string): number {
  const sockets = (listeners as Readonly<Record<string, readonly string[]>>)[name];
  const port = Number(sockets?.[0]?.split(':').at(-1));
  if (!Number.isInteger(port)) throw new Error(`"ready" tells no socket of ${name}: ${JSON.stringify(listeners)}`);
  return port;
}
