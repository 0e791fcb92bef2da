/**
 * A thread without mail servers: the local part says what becomes of the ask. `yes…` is valid, `no…` unknown; `slow…` is never answered;
 * `throw…`, `exit…` and `hang…` do that to the thread; `reject…` leaves a promise rejected; `leave…` ends the thread's work. A word with `-` behind it
 * does so a moment after it was learnt.
 */
import type { ToMain, ToWorker, Verdict } from '@callahead/core';
import type { Host } from '../../packages/workers/src/host.ts';
import type { Work } from '../../packages/workers/src/threads.ts';
import { serve } from '../../packages/workers/src/work.ts';

export function work(options: Work): Promise<void> {
  return serve(
    options,
    (post) => createFakeHost(post, () => options.port.close()),
    () => performance.now(),
  );
}

function createFakeHost(post: (messages: readonly ToMain[]) => void, leave: () => void): Host {
  const servers = new Map<number, string>();
  const seen = new Map<string, string[]>();

  function answer(destination: number, recipient: string): Verdict | null {
    const server = servers.get(destination);
    if (server === undefined) throw new Error(`destination ${destination} was never introduced`);
    const asked = seen.get(recipient) ?? [];
    seen.set(recipient, [...asked, server]);
    const word = /^[a-z]+/.exec(recipient)?.[0];
    if (word === 'yes') return { kind: 'valid', source: asked.length === 0 ? 'server' : 'cache', server };
    if (word === 'no') {
      return {
        kind: 'unknown',
        source: 'server',
        server,
        reply: { code: 550, enhanced: '5.1.1', text: recipient },
        ref: 'r',
      };
    }
    die(word);
    return null;
  }

  function die(word: string | undefined): void {
    if (word === 'throw') throw new Error('told to throw');
    if (word === 'exit') process.exit(7);
    if (word === 'reject') void Promise.reject(new Error('told to reject'));
    if (word === 'leave') leave();
    if (word === 'hang') for (;;);
  }

  function handle(message: ToWorker): void {
    switch (message.kind) {
      case 'destination': {
        const [server] = message.route.tiers.flat();
        const target = server?.kind === 'tcp' ? server.targets[0]?.address : '';
        servers.set(message.destination, `${message.route.generation}/${target}`);
        return;
      }
      case 'asks': {
        const ids: number[] = [];
        const verdicts: Verdict[] = [];
        for (const [i, id] of message.ids.entries()) {
          if (message.traced.includes(id)) post([{ kind: 'step', id, step: { stage: 'fake', atMs: 1, facts: {} } }]);
          const verdict = answer(message.destinations[i] ?? -1, message.recipients[i] ?? '');
          if (verdict === null) continue;
          ids.push(id);
          verdicts.push(verdict);
        }
        post([{ kind: 'verdicts', ids, verdicts }]);
        return;
      }
      case 'learn':
        if (message.recipient.includes('-')) {
          // Dead to the world for a moment: what is asked meanwhile is its last.
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
          die(message.recipient.split('-')[0]);
        }
        seen.set(message.recipient, [servers.get(message.destination) ?? 'unknown']);
        return;
      case 'flush':
        post([{ kind: 'answer', question: message.question, answer: { kind: 'flushed', entries: seen.size } }]);
        seen.clear();
        return;
      case 'lookup': {
        const entries = (seen.get(message.recipient) ?? []).map((server) => ({
          profile: 'corp',
          destination: 'fake',
          recipient: message.recipient,
          verdict: { kind: 'valid', source: 'server', server } as const,
          ageMs: 0,
          ttlMs: 1,
        }));
        post([{ kind: 'answer', question: message.question, answer: { kind: 'found', entries } }]);
        return;
      }
      case 'report': {
        const destinations = [...servers.values()].map((key) => ({
          key,
          waiting: 0,
          asking: 0,
          sessions: { connecting: 0, idle: 0, busy: 0 },
          servers: [],
        }));
        const report = { destinations, servers: [], caches: [] };
        post([{ kind: 'answer', question: message.question, answer: { kind: 'report', report } }]);
        return;
      }
      case 'forget':
        servers.delete(message.destination);
        return;
      case 'drain':
        post([{ kind: 'drained' }]);
        return;
      case 'lend':
      case 'recall':
      case 'deny':
    }
  }

  return {
    receive(packet) {
      for (const message of packet) handle(message);
    },
    counts: () => [],
    close() {},
  };
}
