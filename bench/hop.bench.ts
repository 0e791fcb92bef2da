/** What does a recipient cost on its way to a thread and back, by how many share a packet? (20 s) */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { packToWorker, unpackToMain } from '@callahead/core';
import { answer } from './support/answer.ts';
import { readOptions } from './support/options.ts';
import { figure, median } from './support/statistics.ts';
import { table } from './support/table.ts';

const SIZES = [1, 10, 100, 1_000];
const RECIPIENTS = 50_000;
const rounds = readOptions().rounds ?? 5;

type Trip = Readonly<{ packetUs: number; cpuUs: number }>;

const thread = new Worker(new URL('./programs/hop-thread.ts', import.meta.url));
await once(thread, 'message');
const trips = new Map<number, Trip[]>();
for (let round = 0; round <= rounds; round++) {
  for (const size of SIZES) {
    const trip = await travel(size);
    // Round 0 warms up.
    if (round > 0) trips.set(size, [...(trips.get(size) ?? []), trip]);
  }
}
await thread.terminate();
const rows = SIZES.map((size) => [
  figure(size),
  figure(median((trips.get(size) ?? []).map(({ packetUs }) => packetUs))),
  figure(median((trips.get(size) ?? []).map(({ cpuUs }) => cpuUs))),
]);
answer('hop', table(['recipients a packet', 'there and back, µs', 'CPU, µs a recipient'], rows));

/** One packet after the other, so that the time of each is seen. */
async function travel(size: number): Promise<Trip> {
  const packets = Math.min(2_000, RECIPIENTS / size);
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  for (let packet = 0; packet < packets; packet++) await exchange(packet * size, size);
  const { user, system } = process.cpuUsage(cpu);
  return { packetUs: ((performance.now() - startMs) * 1_000) / packets, cpuUs: (user + system) / (packets * size) };
}

async function exchange(first: number, size: number): Promise<void> {
  const ids = Array.from({ length: size }, (_, n) => first + n);
  const packet = packToWorker([
    {
      kind: 'asks',
      ids,
      destinations: ids.map(() => 1),
      recipients: ids.map((id) => `recipient${id}@example.com`),
      deadlinesMs: ids.map(() => 30_000),
      traced: [],
      fresh: [],
    },
  ]);
  thread.postMessage(packet, [packet.buffer]);
  const [answered] = (await once(thread, 'message')) as [Uint8Array];
  const [message] = unpackToMain(answered);
  if (message?.kind !== 'verdicts' || message.ids.length !== size) throw new Error('a packet came back incomplete');
}
