/** How much memory does an answer take in the verdict cache, and how long do a hit, a flush and a look-up take among a million? (20 s) */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Probe, packToWorker, type ToWorker, unpackToWorker, type Verdict } from '@callahead/core';
import { staticRoute } from '@callahead/workers';
import { createCache, type VerdictCache } from '../packages/workers/src/cache.ts';
import { answer } from './support/answer.ts';
import { table } from './support/table.ts';

const HITS = 200_000;

// Heap in use is what is left after a collection, which takes a flag to ask for.
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const { key, probe }: { key: string; probe: Probe } = staticRoute({
  heloName: 'gateway.example',
  profile: 'corp',
  servers: [
    { host: 'mx1.corp.example', address: '192.0.2.1' },
    { host: 'mx2.corp.example', address: '192.0.2.2' },
  ],
});

type Kind = Readonly<{ name: string; verdict(i: number, recipient: string): Verdict }>;

const server = 'mx1.corp.example:25';
const valid: Verdict = { kind: 'valid', source: 'server', server };

function unknown(i: number, text: string): Verdict {
  const ref = (i * 2654435761).toString(36).slice(0, 8).padEnd(8, '0');
  return { kind: 'unknown', source: 'server', server, reply: { code: 550, enhanced: '5.1.1', text }, ref };
}

const kinds: readonly Kind[] = [
  {
    name: 'the no names the recipient',
    verdict: (i, r) => (i % 2 === 0 ? valid : unknown(i, `5.1.1 <${r}>: Recipient address rejected: User unknown`)),
  },
  {
    name: 'each no has words of its own',
    verdict: (i, r) => (i % 2 === 0 ? valid : unknown(i, `5.1.1 <${r}>: no such user (id ${(i * 7919).toString(36)})`)),
  },
];

const cases = [10_000, 100_000, 1_000_000].flatMap((count) => kinds.map((kind) => [count, kind] as const));
const rows: (readonly string[])[] = [];
for (const [count, kind] of cases) rows.push(await measure(count, kind));
const head = ['', 'heap kept, MB', 'octets an entry', 'put, µs', 'hit, µs', 'look-up, ms', 'flush, ms'];
answer('cache', `CPU time\n\n${table(head, rows)}`);

async function measure(count: number, { name, verdict }: Kind): Promise<readonly string[]> {
  collect();
  const before = process.memoryUsage().heapUsed;
  const cache = createCache({
    profile: 'corp',
    probe: { ...probe, cacheSize: count },
    threads: 1,
    now: () => performance.now(),
  });
  const putMs = await time(() => {
    for (let i = 0; i < count; i++) {
      const recipient = arrived(i);
      cache.put(key, recipient, verdict(i, recipient), probe);
    }
  });
  const arriveMs = await time(() => {
    for (let i = 0; i < count; i++) arrived(i);
  });
  collect();
  const octets = process.memoryUsage().heapUsed - before;
  const { positive, negative } = cache.counts();
  if (positive + negative !== count) throw new Error(`${positive + negative} entries instead of ${count}`);
  const hitMs = await time(() => hit(cache, count));
  const lookupMs = await time(() => cache.lookup(nameOf(count - 1)));
  const flushMs = await time(() => cache.flush({ kind: 'domain', value: 'dept7.example.com' }));
  return [
    `${count.toLocaleString('en')}, ${name}`,
    (octets / 1024 ** 2).toFixed(1),
    Math.round(octets / count).toString(),
    (((putMs - arriveMs) * 1000) / count).toFixed(2),
    ((hitMs * 1000) / HITS).toFixed(2),
    lookupMs.toFixed(0),
    flushMs.toFixed(0),
  ];
}

function hit(cache: VerdictCache, count: number): void {
  for (let i = 0; i < HITS; i++) {
    if (cache.get(key, nameOf((i * 7919) % count), probe) === null) throw new Error('it is not there');
  }
}

function nameOf(i: number): string {
  return `first.last${i}@dept${i % 500}.example.com`;
}

/** As a thread gets it: out of a packet. */
function arrived(i: number): string {
  const asked: ToWorker = { kind: 'lookup', question: i, recipient: nameOf(i) };
  const [message] = unpackToWorker(packToWorker([asked]));
  if (message?.kind !== 'lookup') throw new Error('it is another message');
  return message.recipient;
}

/** Of the processor, which other processes disturb less than the clock on the wall. */
async function time(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
