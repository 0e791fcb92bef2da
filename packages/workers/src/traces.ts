/** The steps of a probe, for those who watch it (SPEC 1.3). Nothing is sent where nobody does. */
import type { ToMain } from '@callahead/core';
import type { Query, Waiter } from './query.ts';

export type Traces = Readonly<{
  step(waiters: readonly Waiter[], stage: string, facts: Readonly<Record<string, string>>): void;
  /** The end of a probe: what was said, a line a step, and how long its verdict is worth keeping, whether or not it is kept. */
  end(query: Query, kind: string, forMs: number): void;
}>;

export function createTraces({ post, now }: Readonly<{ post: (message: ToMain) => void; now: () => number }>): Traces {
  function step(waiters: readonly Waiter[], stage: string, facts: Readonly<Record<string, string>>): void {
    for (const { id, traced } of waiters) {
      if (traced) post({ kind: 'step', id, step: { stage, atMs: now(), facts } });
    }
  }

  function end(query: Query, kind: string, forMs: number): void {
    if (!isTraced(query)) return;
    for (const line of query.dialogue) step(query.waiters, 'dialogue', { line });
    step(query.waiters, 'keep', { verdict: kind, forMs: String(forMs) });
  }

  return { step, end };
}

/** Somebody watches it: then a yes is told word by word too. */
export function isTraced({ waiters }: Query): boolean {
  return waiters.some(({ traced }) => traced);
}
