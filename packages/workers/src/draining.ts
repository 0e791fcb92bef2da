/** The end of the threads' work: each says when its sessions are closed. */
export type Draining = Readonly<{
  /** Asks the threads to finish by then. Settles when all have, when they are dead, or a moment after the deadline. */
  begin(deadlineMs: number): Promise<void>;
  /** A thread has finished, or is dead. */
  left(thread: number): void;
  /** Waits no more. */
  giveUp(): void;
}>;

export type DrainingOptions = Readonly<{
  /** The threads that are there to be asked, each as soon as it is. */
  ask: (deadlineMs: number) => Iterable<number>;
  at: (deadlineMs: number, run: () => void) => void;
}>;

/** How long after its deadline a draining thread may still say that it is done. */
const DRAINED_MS = 250;

export function createDraining({ ask, at }: DrainingOptions): Draining {
  const draining = new Set<number>();
  const { promise: drained, resolve: giveUp } = Promise.withResolvers<void>();

  return {
    begin(deadlineMs) {
      at(deadlineMs + DRAINED_MS, giveUp);
      for (const thread of ask(deadlineMs)) draining.add(thread);
      if (draining.size === 0) giveUp();
      return drained;
    },
    left(thread) {
      if (draining.delete(thread) && draining.size === 0) giveUp();
    },
    giveUp,
  };
}
