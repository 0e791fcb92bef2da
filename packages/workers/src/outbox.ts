/** What goes to the main half, gathered in one turn of the event loop and sent as one packet. */
import type { ToMain, Verdict } from '@callahead/core';

export type Outbox = Readonly<{
  /** Leaves with what was gathered before it, in order. */
  post(message: ToMain): void;
  verdict(id: number, verdict: Verdict): void;
  /** Sends what is there. */
  flush(): void;
}>;

export function createOutbox(send: (messages: readonly ToMain[]) => void): Outbox {
  let messages: ToMain[] = [];
  let ids: number[] = [];
  let verdicts: Verdict[] = [];

  function post(message: ToMain): void {
    if (messages.length === 0) schedule();
    // The other side must have had the verdicts that precede the end, and a step before the verdict that follows it.
    if (message.kind === 'drained' || message.kind === 'step') endColumns();
    messages.push(message);
  }

  function verdict(id: number, known: Verdict): void {
    if (ids.length === 0) {
      if (messages.length === 0) schedule();
      messages.push({ kind: 'verdicts', ids, verdicts });
    }
    ids.push(id);
    verdicts.push(known);
  }

  function endColumns(): void {
    ids = [];
    verdicts = [];
  }

  // The end of a turn is when all sockets that were readable have been read.
  function schedule(): void {
    setImmediate(flush);
  }

  function flush(): void {
    if (messages.length === 0) return;
    const gathered = messages;
    messages = [];
    endColumns();
    send(gathered);
  }

  return { post, verdict, flush };
}
