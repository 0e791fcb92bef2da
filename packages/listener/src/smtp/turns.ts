/** When sessions may obey commands: what they do in one turn of the event loop is bounded. */
export type Turns = Readonly<{
  /** May a session go on now? Not where this turn has had its commands, or others wait for theirs. */
  free(): boolean;
  /** Calls `run` in a later turn, after those that wait already; once, however often it was asked for. `hasBegun`: it is to go before those that have not. */
  wait(run: () => void, hasBegun: boolean): void;
  /** So many commands were obeyed. */
  spend(commands: number): void;
}>;

/**
 * Sessions that all come at once are served one after the other, about `most` commands a turn: the threads answer the first while the next ones are
 * read, and few recipients are under way. Served together they would all wait for the last of them, and then all at once for what comes next; so
 * those that have begun come to their end before others begin, of which there is one a turn whatever happens.
 */
export function createTurns(most: number): Turns {
  const begun = new Set<() => void>();
  const others = new Set<() => void>();
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
    serveRow(begun);
    serveRow(others);
    isServing = false;
    if (spent > 0 || isWaiting()) order();
  }

  function serveRow(row: Set<() => void>): void {
    for (const run of row) {
      row.delete(run);
      run();
      if (spent >= most) return;
    }
  }

  function isWaiting(): boolean {
    return begun.size > 0 || others.size > 0;
  }

  return {
    free: () => isServing || (spent < most && !isWaiting()),
    wait(run, hasBegun) {
      if (hasBegun) {
        others.delete(run);
        begun.add(run);
      } else if (!begun.has(run)) others.add(run);
      order();
    },
    spend(commands) {
      spent += commands;
      if (commands > 0) order();
    },
  };
}
