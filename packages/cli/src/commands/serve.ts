import { loadConfiguration } from '@callahead/core/config';
import { type Gateway, openGateway } from '../gateway.ts';
import { load } from '../load.ts';
import { createLogging, type Log } from '../logging.ts';
import { createOutlet, type Outlet } from '../outlet.ts';
import type { Terminal } from '../terminal.ts';

const LAST_LINES_MS = 1_000;
const SAME_REQUEST_MS = 500;

/** Runs the gateway until a signal ends it. Exit codes: 0 drained, 1 it could not listen or its engine gave up, 2 the file is wrong (SPEC 1.7). */
export async function serveCommand({ file }: Readonly<{ file: string }>, terminal: Terminal): Promise<number> {
  const hangUps = hearHangUps();
  const configuration = await load(file, terminal);
  if (configuration === null) return 2;
  const outlet = createOutlet(terminal, process.stdout.fd);
  const { log, logEvent, apply } = createLogging(configuration.log, terminal.stdout, outlet);
  process.on('exit', outlet.flush);
  const { promise: fatal, resolve: onFatal } = Promise.withResolvers<Error>();
  const stop = firstSignal();
  process.on('uncaughtException', onFatal);

  let gateway: Gateway;
  try {
    gateway = await openGateway(configuration, {
      file,
      load: () => loadConfiguration(file, { env: process.env }),
      applied: (next) => apply(next.log),
      emit: logEvent,
      onFatal,
    });
  } catch (error) {
    log.fatal({ event: 'gateway.failed', err: error }, `cannot start: ${(error as Error).message}`);
    return 1;
  }
  const { hostname } = configuration;
  const sockets = { listeners: gateway.listeners(), ...(gateway.admin === null ? {} : { admin: gateway.admin }) };
  log.info({ event: 'gateway.ready', ...sockets, hostname }, 'ready');
  // What becomes of it is logged.
  hangUps.forEver(() => void gateway.reload());
  const ended = await Promise.race([stop, fatal]);
  if (ended instanceof Error) return abandon(log, ended);
  const drained = await Promise.race([drain(log, gateway, ended), fatal]);
  return drained instanceof Error ? abandon(log, drained) : await leave(outlet);
}

/** An engine that cannot be trusted any more: better no gateway, which a service manager restarts, than one that answers wrongly (SPEC 1.9). */
function abandon(log: Log, error: Error): never {
  log.fatal({ event: 'gateway.fatal', err: error }, `giving up: ${error.message}`);
  process.exit(1);
}

async function drain(log: Log, gateway: Gateway, signal: NodeJS.Signals): Promise<void> {
  log.info({ event: 'gateway.draining', signal }, 'draining');
  // It ends the process, or nothing waits for it.
  void secondSignal(signal).then((again) => {
    log.warn({ event: 'gateway.killed', signal: again }, 'a second signal: not waiting for the drain');
    process.exit(1);
  });
  await gateway.drain();
  log.info({ event: 'gateway.stopped' }, 'stopped');
}

/** A process does not end by itself while a pipe that nobody reads has not taken its last lines. */
async function leave(outlet: Outlet): Promise<number> {
  if (!(await outlet.empty(LAST_LINES_MS))) process.exit(0);
  return 0;
}

/** The same signal at once is the same request: a process group and a parent that passes signals on say it twice. */
async function secondSignal(first: NodeJS.Signals): Promise<NodeJS.Signals> {
  const firstMs = performance.now();
  for (;;) {
    const again = await firstSignal();
    if (again !== first || performance.now() - firstMs > SAME_REQUEST_MS) return again;
  }
}

/** SIGHUP is a wish to reload from the first moment on: nobody who sends it means the end of the process. */
function hearHangUps(): Readonly<{ forEver(reload: () => void): void }> {
  let wished = false;
  let obey = (): void => {
    wished = true;
  };
  process.on('SIGHUP', () => obey());
  return {
    forEver(reload) {
      obey = reload;
      if (wished) reload();
    },
  };
}

function firstSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const signals: NodeJS.Signals[] = ['SIGTERM', 'SIGINT'];
    function onSignal(signal: NodeJS.Signals): void {
      for (const each of signals) process.off(each, onSignal);
      resolve(signal);
    }
    for (const each of signals) process.on(each, onSignal);
  });
}
