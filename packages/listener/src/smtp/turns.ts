/** When sessions may obey commands: what they do in one turn of the event loop is bounded. */
export type Turns = Readonly<{
  /** May a session go on now? Not where this turn has had its commands, or others wait for theirs. */
  free(): boolean;
  /** Calls `run` in a later turn, after those that wait already; once, however often it was asked for. */
  wait(run: () => void): void;
  /** So many commands were obeyed. */
  spend(commands: number): void;
}>;

/**
 * Sessions that all come at once are served one after the other, about `most` commands a turn: the threads answer the first while the next ones are
 * read, and few recipients are under way. Served together they would all wait for the last of them, and then all at once for what comes next.
 */
export function createTurns(most: number): Turns {
  const waiting = new Set<() => void>();
  let spent = 0;
  let isOrdered = false;
  let isServing = false;

  function order(): void {
    if (isOrdered) return;
    isOrdered = true;
    setImmediate(serve);
  }

  function serve(): void {
    isOrdered = false;
    spent = 0;
    isServing = true;
    for (const run of waiting) {
      if (spent >= most) break;
      waiting.delete(run);
      run();
    }
    isServing = false;
    if (waiting.size > 0 || spent > 0) order();
  }

  return {
    free: () => spent < most && (isServing || waiting.size === 0),
    wait(run) {
      waiting.add(run);
      order();
    },
    spend(commands) {
      spent += commands;
      if (commands > 0) order();
    },
  };
}
