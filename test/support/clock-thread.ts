/** A thread that says what time it is. */
import type { Work } from '../../packages/workers/src/threads.ts';

export function work({ port }: Work): Promise<void> {
  port.on('message', () => port.postMessage(performance.now()));
  port.postMessage('up');
  return new Promise((resolve) => port.once('close', () => resolve()));
}
