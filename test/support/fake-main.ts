/** The main half, as little of it as a host needs: lends permits exactly, and remembers what it was told. */
import type { Answer, Probe, Route, Server, ToMain, ToWorker, Verdict } from '@callahead/core';
import { createConnect } from '../../packages/workers/src/connect.ts';
import { createHost, type Host } from '../../packages/workers/src/host.ts';
import type { Connect } from '../../packages/workers/src/opening.ts';
import { type FakeOptions, type FakeServer, startFakeServer } from './fake-server.ts';
import { PROBE } from './routes.ts';

export type FakeMain = Readonly<{
  host: Host;
  /** Every message to main but the verdicts, in order. */
  told: ToMain[];
  /** The most permits that were out at once, by loan. */
  mostOut: Map<string, number>;
  out(): number;
  /** Verdicts that nobody waited for. */
  unasked: number[];
  packets(): number;
  send(...messages: ToWorker[]): void;
  know(route: Route, destination?: number): void;
  /** Asks in one packet. */
  ask(recipients: readonly string[], options?: AskOptions): Promise<Verdict[]>;
  question(
    what:
      | { kind: 'flush'; what: Extract<ToWorker, { kind: 'flush' }>['what'] }
      | { kind: 'lookup'; recipient: string }
      | { kind: 'report' },
  ): Promise<Answer>;
  /** Settles at the next message that `is` says. */
  hears(is: (message: ToMain) => boolean): Promise<ToMain>;
  /** Denies every permit of this server from now on, until that time. */
  denyUntil(loan: string, untilMs: number): void;
}>;

export type AskOptions = { destination?: number; budgetMs?: number; traced?: boolean; fresh?: boolean };

export type FakeMainOptions = {
  /** Permits of each loan. */
  permits?: number;
  connect?: Connect;
  now?: () => number;
  random?: () => number;
  threads?: number;
};

export function startFakeMain(options: FakeMainOptions = {}): FakeMain {
  const now = options.now ?? (() => performance.now());
  const permits = options.permits ?? 5;
  const told: ToMain[] = [];
  const unasked: number[] = [];
  const out = new Map<string, number>();
  const waiting = new Map<string, number>();
  const denied = new Map<string, number>();
  const mostOut = new Map<string, number>();
  const waiters = new Map<number, (verdict: Verdict) => void>();
  const listeners = new Set<{ is: (message: ToMain) => boolean; hear: (message: ToMain) => void }>();
  let packets = 0;
  let serial = 0;

  const host = createHost({
    now,
    connect: options.connect ?? createConnect(now),
    threads: options.threads ?? 1,
    random: options.random ?? Math.random,
    post(messages) {
      packets++;
      for (const message of messages) hear(message);
    },
  });

  function hear(message: ToMain): void {
    if (message.kind === 'verdicts') {
      for (const [i, id] of message.ids.entries()) {
        const verdict = message.verdicts[i];
        const settle = waiters.get(id);
        waiters.delete(id);
        if (settle === undefined || verdict === undefined) unasked.push(id);
        else settle(verdict);
      }
    } else told.push(message);
    if (message.kind === 'borrow') borrow(message.loan);
    if (message.kind === 'returned') {
      out.set(message.loan, (out.get(message.loan) ?? 0) - 1);
      lend(message.loan);
    }
    for (const listener of listeners) if (listener.is(message)) listener.hear(message);
  }

  function borrow(loan: string): void {
    const untilMs = denied.get(loan) ?? 0;
    if (now() < untilMs) {
      send({ kind: 'deny', loan, untilMs });
      return;
    }
    waiting.set(loan, (waiting.get(loan) ?? 0) + 1);
    lend(loan);
    if ((waiting.get(loan) ?? 0) > 0) send({ kind: 'recall', loan });
  }

  function lend(loan: string): void {
    while ((waiting.get(loan) ?? 0) > 0 && (out.get(loan) ?? 0) < permits) {
      waiting.set(loan, (waiting.get(loan) ?? 0) - 1);
      const lent = (out.get(loan) ?? 0) + 1;
      out.set(loan, lent);
      mostOut.set(loan, Math.max(lent, mostOut.get(loan) ?? 0));
      send({ kind: 'lend', loan });
    }
  }

  // Another thread: what is sent arrives in a turn of its own.
  function send(...messages: ToWorker[]): void {
    setImmediate(() => host.receive(messages));
  }

  function ask(recipients: readonly string[], options: AskOptions = {}) {
    const { destination = 1, budgetMs = 5000, traced = false, fresh = false } = options;
    const ids = recipients.map(() => serial++);
    const answers = ids.map((id) => new Promise<Verdict>((resolve) => waiters.set(id, resolve)));
    send({
      kind: 'asks',
      ids,
      destinations: ids.map(() => destination),
      recipients,
      deadlinesMs: ids.map(() => now() + budgetMs),
      traced: traced ? ids : [],
      fresh: fresh ? ids : [],
    });
    return Promise.all(answers);
  }

  function hears(is: (message: ToMain) => boolean): Promise<ToMain> {
    return new Promise((resolve) => {
      const listener = {
        is,
        hear(message: ToMain) {
          listeners.delete(listener);
          resolve(message);
        },
      };
      listeners.add(listener);
    });
  }

  return {
    host,
    told,
    mostOut,
    unasked,
    out: () => [...out.values()].reduce((sum, n) => sum + n, 0),
    packets: () => packets,
    send,
    know: (route, destination = 1) => send({ kind: 'destination', destination, route }),
    ask,
    async question(what) {
      const question = serial++;
      const heard = hears((message) => message.kind === 'answer' && message.question === question);
      send({ ...what, question });
      const message = await heard;
      if (message.kind !== 'answer') throw new Error('not an answer');
      return message.answer;
    },
    hears,
    denyUntil: (loan, untilMs) => denied.set(loan, untilMs),
  };
}

export function probeOf(settings: Partial<Probe> = {}): Probe {
  return { ...PROBE, commandTimeoutMs: 2_000, maxRejectionsPerSession: 1_000, sessionLifetimeMs: 60_000, ...settings };
}

/** A server on a port of the loopback; its name is `host`. */
export function serverAt(port: number, host = 'mx.example', addresses: readonly string[] = ['127.0.0.1']): Server {
  return { kind: 'tcp', host, port, targets: addresses.map((address) => ({ name: host, address })) };
}

export function routeTo(tiers: readonly (readonly Server[])[], settings: Partial<Probe> = {}): Route {
  return {
    key: 'corp mx.example',
    generation: 1,
    profile: 'corp',
    probe: probeOf(settings),
    tiers,
    within: 'rotate',
  };
}

export type Bench = Readonly<{ server: FakeServer; main: FakeMain; loan: string }>;

/** A host that knows one destination with one fake server; both end with the test. */
export async function startBench(
  t: { teardown(end: () => Promise<void>): void },
  serverOptions: FakeOptions = {},
  settings: Partial<Probe> = {},
  mainOptions: FakeMainOptions = {},
): Promise<Bench> {
  const server = await startFakeServer(serverOptions);
  const main = startFakeMain(mainOptions);
  t.teardown(async () => {
    main.host.close();
    await server.stop();
  });
  main.know(routeTo([[serverAt(server.port)]], settings));
  return { server, main, loan: `corp mx.example:${server.port}` };
}
