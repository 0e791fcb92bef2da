/** An HTTP API with a gateway behind it that does nothing but remember what was asked of it. */
import type { Operations } from '@callahead/admin';
import {
  createHistogram,
  type EngineReport,
  type Event,
  noVerdicts,
  observe,
  type Secret,
  secretOf,
  type Verdict,
} from '@callahead/core';
import type { ExecutionContext } from 'ava';
import { type Admin, createAdmin, createApp } from '../../packages/admin/src/server.ts';
import { load, smallest } from './configuration.ts';

export const TOKEN = 'correct-horse-battery';
export const BEARER = { authorization: `Bearer ${TOKEN}` };

export const VALID: Verdict = { kind: 'valid', source: 'cache', server: 'ex1.corp.example:25' };
export const UNKNOWN: Verdict = {
  kind: 'unknown',
  source: 'server',
  server: 'ex1.corp.example:25',
  reply: { code: 550, enhanced: '5.1.1', text: 'No such user' },
  ref: 'k3x9d1aa',
};

/** One destination with one server, of which both threads have a shard. */
export function reportOfOne(): EngineReport {
  const took = createHistogram();
  for (let i = 0; i < 9; i++) observe(took, 0.02);
  const verdicts = { ...noVerdicts(), valid: 8, unknown: 1 };
  const sessions = { connecting: 0, idle: 1, busy: 1 };
  const about = { profile: 'corp', server: 'ex1.corp.example:25' };
  const thread = {
    destinations: [{ key: 'corp ex1.corp.example', waiting: 1, asking: 2, sessions, servers: [] }],
    servers: [{ ...about, ...sessions }],
    caches: [{ profile: 'corp', positive: 3, negative: 1 }],
  };
  return {
    asking: 4,
    waiting: 1,
    destinations: 1,
    threads: [thread, thread],
    loans: [{ ...about, maximum: 5, held: 4, waiting: 1, breaker: 'open', leftAloneMs: 1_500 }],
    totals: {
      destinations: [
        { profile: 'corp', destination: 'corp ex1.corp.example', verdicts, cached: 3, refreshed: 2, stale: 1 },
      ],
      servers: [{ ...about, probes: verdicts, took }],
    },
    vitals: [
      { thread: 1, heapBytes: 2_000, lagMs: 2 },
      { thread: 0, heapBytes: 1_000, lagMs: 1 },
    ],
  };
}

type Sent = Readonly<{ payload?: object | string; headers?: Readonly<Record<string, string>> }>;

export type FakeGateway = Readonly<{ operations: Operations; asked: unknown[] }>;

export function fakeGateway(changes: Partial<Operations> = {}): FakeGateway {
  const { configuration } = load(smallest);
  const asked: unknown[] = [];
  const operations: Operations = {
    configuration: () => configuration,
    listeners: () => [{ name: 'inbound', sockets: ['127.0.0.1:2525'], profile: 'corp', sessions: 2 }],
    state: () => 'ready',
    report: async () => reportOfOne(),
    canaries: () => [
      {
        profile: 'corp',
        server: 'ex1.corp.example:25',
        suspended: true,
        catchAll: false,
        reply: '550 5.1.1 No such user',
      },
    ],
    async lookup({ address: recipient }) {
      const found = { profile: 'corp', destination: 'corp ex1.corp.example', recipient };
      return [{ ...found, verdict: UNKNOWN, ageMs: 1_500, ttlMs: 298_500 }];
    },
    async flush(what) {
      asked.push(what);
      return 2;
    },
    async verify({ recipient, profile, listener }) {
      asked.push({ recipient: recipient.address, profile: profile.name, listener });
      return recipient.local === 'nobody' ? UNKNOWN : VALID;
    },
    async reload() {
      asked.push('reload');
      return { kind: 'reloaded', generation: 2, opened: [], closed: [], kept: ['inbound 127.0.0.1:2525'], restart: [] };
    },
    async explain({ address, settings, client, dry }) {
      asked.push({ address, listener: settings.name, client, dry });
      return {
        ...{
          recipient: address,
          listener: settings.name,
          client,
          steps: [],
          dialogue: [],
          verdict: null,
          cached: null,
        },
        ...{ reply: { code: 250, enhanced: '2.1.5', text: 'Recipient ok' }, delivery: null, exit: 0 },
      };
    },
    ...changes,
  };
  return { operations, asked };
}

/** One without a socket, closed with the test. `token` null: none is configured. `page`: a folder with a page; left out, the built one. */
export function openApp(
  t: ExecutionContext,
  gateway: FakeGateway = fakeGateway(),
  token: Secret | null = secretOf(TOKEN),
  page?: string,
) {
  const events: Event[] = [];
  let nowMs = 1_000;
  const {
    app,
    observe: observeEvent,
    close,
  } = createApp({
    settings: { listen: { host: '127.0.0.1', port: 0 }, token },
    version: '1.2.3',
    operations: gateway.operations,
    ...(page === undefined ? {} : { page }),
    emit: (event) => void events.push(event),
    now: () => nowMs,
    wallMs: () => Date.UTC(2026, 10, 24) + nowMs,
  });
  t.teardown(close);

  async function ask(method: 'GET' | 'POST', url: string, options: Sent = {}) {
    const headers = { host: '127.0.0.1:8025', ...(token === null ? {} : BEARER), ...options.headers };
    const { statusCode, headers: said, body } = await app.inject({ ...options, method, url, headers });
    return { status: statusCode, headers: said, body, json: body.startsWith('{') ? JSON.parse(body) : null };
  }

  return {
    app,
    events,
    observe: observeEvent,
    get: (url: string, headers: Record<string, string> = {}) => ask('GET', url, { headers }),
    post: (url: string, payload: object, headers: Record<string, string> = {}) =>
      ask('POST', url, { payload, headers }),
    ask,
    pass(ms: number): void {
      nowMs += ms;
    },
  };
}

/** One that listens, closed with the test. `at`: `host:port`. */
export async function openListening(
  t: ExecutionContext,
  gateway: FakeGateway = fakeGateway(),
  host = '127.0.0.1',
): Promise<Readonly<{ admin: Admin; at: string }>> {
  const admin = createAdmin({
    settings: { listen: { host, port: 0 }, token: secretOf(TOKEN) },
    version: '1.2.3',
    operations: gateway.operations,
    emit: () => {},
    now: () => performance.now(),
    wallMs: Date.now,
  });
  t.teardown(admin.close);
  return { admin, at: await admin.listen() };
}

/** What the gateway tells of a recipient. */
export function recipientEvent(changes: Partial<Extract<Event, { event: 'recipient.rejected' }>> = {}): Event {
  return {
    event: 'recipient.rejected',
    session: 'ab12c',
    listener: 'inbound',
    client: '203.0.113.7',
    recipient: 'nobody@example.com',
    kind: 'unknown',
    source: 'cache',
    profile: 'corp',
    server: 'ex1.corp.example:25',
    tookMs: 4,
    code: 550,
    reason: 'unknown',
    ref: 'k3x9d1aa',
    ...changes,
  };
}
