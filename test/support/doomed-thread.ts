/**
 * A thread that answers nobody and, once it knows a destination, dies when it is told to drain. Where DOOMED is set in the environment when it
 * starts, it dies at once.
 */
import type { Work } from '../../packages/workers/src/threads.ts';
import { serve } from '../../packages/workers/src/work.ts';

if (process.env.DOOMED !== undefined) process.exit(9);

export function work(options: Work): Promise<void> {
  let knowing = false;
  return serve(
    options,
    () => ({
      receive(packet) {
        knowing ||= packet.some(({ kind }) => kind === 'destination');
        if (knowing && packet.some(({ kind }) => kind === 'drain')) process.exit(9);
      },
      counts: () => [],
      close() {},
    }),
    () => performance.now(),
  );
}
