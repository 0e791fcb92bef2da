/** The HTTP side of a gateway, put together. */
import { getHeapStatistics } from 'node:v8';
import { type AdminSettings, createPeak, type Emit, type Event, hostPort } from '@callahead/core';
import type { FastifyInstance } from 'fastify';
import { addRoutes } from './api.ts';
import { createCounting } from './counting.ts';
import { createGuard } from './guard.ts';
import { openHttp } from './http.ts';
import type { Operations } from './operations.ts';
import { addPage, PAGE_FOLDER } from './page.ts';
import { createRation } from './ration.ts';
import { createReadings, READING_MS } from './readings.ts';
import { createRecent } from './recent.ts';
import { type Facts, statusOf } from './status.ts';
import { createStreams } from './streams.ts';

export type Admin = Readonly<{
  /** Counts an event, and remembers it where it is one of a recipient. Cheap, and never throws. */
  observe(event: Event): void;
  /** Resolves with `host:port`; rejects when it cannot listen. */
  listen(): Promise<string>;
  /** Ends every connection. */
  close(): Promise<void>;
}>;

export type AdminOptions = Readonly<{
  settings: AdminSettings;
  version: string;
  operations: Operations;
  emit: Emit;
  /** The folder of the built page; left out: the package's own. */
  page?: string;
  /** `performance.now()`. */
  now: () => number;
  /** Milliseconds since 1970. */
  wallMs: () => number;
}>;

const LOOK_MS = 250;
const LAG_WINDOW_MS = 10_000;

export function createAdmin(options: AdminOptions): Admin {
  const { app, observe, close } = createApp(options);
  const { host, port } = options.settings.listen;
  return {
    observe,
    async listen() {
      await app.listen({ host, port });
      const address = app.server.address();
      if (address === null || typeof address === 'string') throw new Error(`no port at ${hostPort(host, port)}`);
      return hostPort(address.address, address.port);
    },
    close,
  };
}

/** The same without a socket, for tests. */
export function createApp(
  options: AdminOptions,
): Readonly<{ app: FastifyInstance }> & Pick<Admin, 'observe' | 'close'> {
  const { settings, version, operations, emit, now, wallMs } = options;
  const counting = createCounting(wallMs);
  const recent = createRecent(wallMs);
  const startedMs = now();
  const startedAtMs = wallMs();
  const lag = watchLag(now);
  const facts = async (): Promise<Facts> => ({
    configuration: operations.configuration(),
    version,
    startedAtMs,
    uptimeMs: now() - startedMs,
    state: operations.state(),
    listeners: operations.listeners(),
    report: await operations.report(),
    canaries: operations.canaries(),
    counting,
    main: { ...processFacts(), lagMs: lag.read() },
  });
  const readings = createReadings(startedAtMs, wallMs);
  const read = (): void => readings.take(counting, operations.listeners());
  read();
  const reader = setInterval(read, READING_MS);
  reader.unref();
  const streams = createStreams({ snapshot: async () => statusOf(await facts()), recent, readings });
  const app = openHttp(createGuard(settings.token), { emit, now });
  addPage(app, options.page ?? PAGE_FOLDER);
  addRoutes(app, {
    operations,
    facts,
    recent,
    streams,
    ration: createRation({ perSecond: 5, saved: 20, now }),
    emit,
    now,
  });

  function observe(event: Event): void {
    counting.count(event);
    if (event.event === 'recipient.accepted' || event.event === 'recipient.rejected') recent.add(event);
  }

  async function close(): Promise<void> {
    lag.stop();
    clearInterval(reader);
    streams.close();
    app.server.closeAllConnections();
    await app.close();
  }

  return { app, observe, close };
}

function processFacts(): Readonly<{ heapBytes: number; residentBytes: number; cpuSeconds: number }> {
  const { user, system } = process.cpuUsage();
  return {
    heapBytes: getHeapStatistics().used_heap_size,
    residentBytes: process.memoryUsage.rss(),
    cpuSeconds: (user + system) / 1_000_000,
  };
}

/** How late the clock of this thread is, at most, lately. */
function watchLag(now: () => number): Readonly<{ read(): number; stop(): void }> {
  const peak = createPeak(LAG_WINDOW_MS, now);
  let dueMs = now() + LOOK_MS;
  const timer = setInterval(() => {
    peak.add(Math.max(0, now() - dueMs));
    dueMs = now() + LOOK_MS;
  }, LOOK_MS);
  timer.unref();
  return { read: peak.read, stop: () => clearInterval(timer) };
}
