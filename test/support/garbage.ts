import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** Frees at once what nobody can reach. */
export function collectGarbage(): void {
  gc();
}

/** Octets that somebody can reach, buffers included. */
export function usedHeap(): number {
  gc();
  gc(); // what the first one has made free of buffers
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}
