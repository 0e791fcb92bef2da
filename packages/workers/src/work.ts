/** How a thread talks to the main half: packets in, packets out, a heartbeat. */
import { getHeapStatistics } from 'node:v8';
import { packToMain, type ToMain, unpackToWorker } from '@callahead/core';
import type { Host } from './host.ts';
import type { Work } from './threads.ts';

/** How often what was counted is told. */
const COUNT_MS = 1_000;

/** Serves the port until it is closed. What the host throws ends the thread, which its supervisor replaces. */
export function serve(
  { port, beatMs }: Work,
  createHost: (post: (messages: readonly ToMain[]) => void) => Host,
  now: () => number,
): Promise<void> {
  const post = (messages: readonly ToMain[]): void => {
    const packet = packToMain(messages);
    port.postMessage(packet, [packet.buffer]);
  };
  const host = createHost(post);
  let beatenMs = 0;
  let countedMs = now();
  let dueMs = now() + beatMs;
  let lagMs = 0;

  function beat(): void {
    beatenMs = now();
    post([{ kind: 'beat' }]);
    if (beatenMs - countedMs >= COUNT_MS) count();
  }

  function count(): void {
    countedMs = now();
    post([{ kind: 'counts', destinations: host.counts(), heapBytes: getHeapStatistics().used_heap_size, lagMs }]);
    lagMs = 0;
  }

  function ring(): void {
    lagMs = Math.max(lagMs, now() - dueMs);
    dueMs = now() + beatMs;
    beat();
  }

  port.on('message', (packet: Uint8Array) => {
    host.receive(unpackToWorker(packet));
    // Packets that follow each other leave no time to the timer.
    if (now() - beatenMs >= beatMs) beat();
  });
  // The first one says that the thread listens.
  beat();
  const beating = setInterval(ring, beatMs);
  return new Promise((resolve) => {
    port.once('close', () => {
      clearInterval(beating);
      host.close();
      resolve();
    });
  });
}
