/** How a thread talks to the main half: packets in, packets out, a heartbeat. */
import { packToMain, type ToMain, unpackToWorker } from '@callahead/core';
import type { Host } from './host.ts';
import type { Work } from './threads.ts';

/** Serves the port until it is closed. What the host throws ends the thread, which its supervisor replaces. */
export function serve(
  { port, beatMs }: Work,
  createHost: (post: (messages: readonly ToMain[]) => void) => Host,
): Promise<void> {
  const post = (messages: readonly ToMain[]): void => {
    const packet = packToMain(messages);
    port.postMessage(packet, [packet.buffer]);
  };
  const host = createHost(post);
  port.on('message', (packet: Uint8Array) => host.receive(unpackToWorker(packet)));
  // The first one says that the thread listens.
  post([{ kind: 'beat' }]);
  const beating = setInterval(() => post([{ kind: 'beat' }]), beatMs);
  return new Promise((resolve) => {
    port.once('close', () => {
      clearInterval(beating);
      host.close();
      resolve();
    });
  });
}
