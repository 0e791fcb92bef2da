import { availableParallelism } from 'node:os';

/** Threads where none are named: a core is left for the main half. */
export function defaultThreads(): number {
  return Math.max(1, availableParallelism() - 1);
}

/** What happens to an error that nobody asked to be told of. */
export function throwAtProcess(error: Error): void {
  queueMicrotask(() => {
    throw error;
  });
}
