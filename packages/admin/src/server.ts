/** The HTTP listener of a gateway: its routes behind a guard, with headers that keep a browser from harm. */
import { getHeapStatistics } from 'node:v8';
import { type AdminSettings, createPeak, type Emit, type Event, hostPort } from '@callahead/core';
import Fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import { addRoutes } from './api.ts';
import { createCounting } from './counting.ts';
import { type Access, createGuard, type Guard } from './guard.ts';
import type { Operations } from './operations.ts';
import { addPage, PAGE_FOLDER } from './page.ts';
import { Problem, problemBody, statusOfProblem } from './problem.ts';
import { createRation } from './ration.ts';
import { createReadings, READING_MS } from './readings.ts';
import { createRecent } from './recent.ts';
import { type Facts, statusOf } from './status.ts';
import { createStreams } from './streams.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Left out: `read`. */
    access?: Access;
  }
}

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

const MOST_BODY_OCTETS = 16_384;
const MOST_CONNECTIONS = 256;
const REQUEST_MS = 10_000;
const IDLE_MS = 30_000;
/** What is told of a path. */
const MOST_PATH = 80;
const LOOK_MS = 250;
const LAG_WINDOW_MS = 10_000;

const METHODS = ['GET', 'HEAD', 'POST'] as const;

/** What every answer carries. The page has its scripts and styles in files of its own. */
const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

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
  const app = openApp(createGuard(settings.token), emit);
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

function openApp(guard: Guard, emit: Emit): FastifyInstance {
  const app = Fastify({
    logger: false,
    bodyLimit: MOST_BODY_OCTETS,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: IDLE_MS,
    forceCloseConnections: true,
    exposeHeadRoutes: true,
    routerOptions: { maxParamLength: 100 },
  });
  app.server.maxConnections = MOST_CONNECTIONS;
  // What is no JSON is refused, so that no form of another site is ever read.
  app.removeContentTypeParser('text/plain');
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(HEADERS);
    guard(request, request.routeOptions.config.access ?? 'read');
  });
  app.setNotFoundHandler((request) => {
    const [path = ''] = request.url.split('?');
    const allowed = METHODS.filter((method) => app.hasRoute({ method, url: path }));
    if (allowed.length > 0) {
      const headers = { allow: allowed.join(', ') };
      throw new Problem(
        'method-not-allowed',
        `${request.method} is not for this path: expected ${headers.allow}`,
        null,
        headers,
      );
    }
    throw new Problem(
      'not-found',
      `there is no ${request.method} ${request.url.slice(0, MOST_PATH)}: docs/api.md lists what there is`,
    );
  });
  app.setErrorHandler<FastifyError | Problem>((error, request, reply) => {
    const problem = error instanceof Problem ? error : problemOf(error);
    const about = { client: request.ip, path: request.url.slice(0, MOST_PATH) };
    if (problem.kind === 'unauthorized' || problem.kind === 'forbidden')
      emit({ event: 'admin.refused', ...about, kind: problem.kind });
    if (problem.kind === 'internal') emit({ event: 'admin.failed', ...about, error: String(error.stack) });
    return reply.code(statusOfProblem(problem)).headers(problem.headers).send(problemBody(problem));
  });
  return app;
}

/** What fastify finds wrong, in our words; of what is broken inside nothing is told. */
function problemOf({ statusCode = 500, code }: FastifyError): Problem {
  if (statusCode === 413)
    return new Problem('too-large', `the body is too long: expected at most ${MOST_BODY_OCTETS} octets`);
  if (statusCode === 415) return new Problem('unsupported-media-type', 'expected Content-Type: application/json');
  if (statusCode >= 400 && statusCode < 500) {
    const what = code === 'FST_ERR_CTP_EMPTY_JSON_BODY' ? 'empty' : 'no JSON';
    return new Problem('bad-request', `the body is ${what}: expected a JSON object`);
  }
  return new Problem('internal', 'the gateway could not answer this: its log may say why');
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
