import { LRUCache } from 'lru-cache';

/** Remembers so many answers; the one not used for longest is forgotten. */
export function createMemory<Answer extends object>(entries: number): LRUCache<string, Answer> {
  // A bound by size instead of `max`: lru-cache allocates for `max` entries at once, and every reload begins with new memories.
  return new LRUCache({ maxSize: entries, sizeCalculation: () => 1 });
}
