/**
 * One thread as the main half sees it: its port, the asks gathered for it in this turn, and those it has not answered. A lane outlives its
 * thread: while there is none, asks wait in it, and it tells a new thread all that the new thread must know.
 */
import {
  packToWorker,
  type Recorder,
  type Route,
  type Step,
  type ToMain,
  type ToWorker,
  unpackToMain,
  type Verdict,
} from '@callahead/core';

/** What a lane needs of a MessagePort. */
type LanePort = {
  postMessage(packet: Uint8Array, transfer: readonly ArrayBuffer[]): void;
  on(event: 'message', receive: (packet: Uint8Array) => void): unknown;
  close(): void;
};

/** What a destination is to a thread. `version` grows with each route that replaces another. */
export type Subject = Readonly<{ number: number; version: number; route: Route }>;

export type Question = Readonly<{ recipient: string; deadlineMs: number; recorder: Recorder | null; fresh: boolean }>;

/** What is not about one ask. */
export type Notice = Exclude<ToMain, Readonly<{ kind: 'verdicts' | 'step' }>>;

export type Lane<Item extends Question> = {
  /** A thread listens at the other end. */
  open(port: LanePort): void;
  /** The thread is gone. Returns the asks it had, which are the lane's no more; what it was not yet told stays. */
  lose(): Item[];
  ask(subject: Subject, item: Item): void;
  /** A message about one destination, which the thread gets to know first. Dropped while there is no thread. */
  tell(subject: Subject, message: ToWorker): void;
  /** A system message: at once, ahead of what is being gathered. False: there is no thread. */
  send(message: ToWorker): boolean;
  forget(destination: number): void;
  /** Sends what is gathered without waiting for the end of the turn. */
  flush(): void;
  /** Takes out everything, asked or not. */
  abandon(): Item[];
};

export type LaneOptions<Item> = Readonly<{
  /** Calls `run` when what came in one read of the sockets has been handled. */
  later: (run: () => void) => void;
  onVerdict: (item: Item, verdict: Verdict) => void;
  onNotice: (notice: Notice) => void;
}>;

/** So many asks are a packet: a thread shows between two of them that it is alive. */
const MOST_ASKS = 1_000;

/** The asks of one packet as columns, and the destinations that they are about. */
type Batch = {
  readonly subjects: Set<Subject>;
  readonly asks: Readonly<{
    kind: 'asks';
    ids: number[];
    destinations: number[];
    recipients: string[];
    deadlinesMs: number[];
    traced: number[];
    fresh: number[];
  }>;
};

export function createLane<Item extends Question>({ later, onVerdict, onNotice }: LaneOptions<Item>): Lane<Item> {
  const outstanding = new Map<number, Item>();
  /** The version of each destination that this thread knows. */
  const known = new Map<number, number>();
  const gathered: Batch[] = [];
  let port: LanePort | null = null;
  let serial = 0;

  function open(opened: LanePort): void {
    port = opened;
    opened.on('message', (packet) => {
      // The last words of a thread that has been given up: its asks are on their way to another.
      if (port !== opened) return;
      for (const message of unpackToMain(packet)) receive(message);
    });
    flush();
  }

  function receive(message: ToMain): void {
    switch (message.kind) {
      case 'verdicts':
        for (const [i, id] of message.ids.entries()) settle(id, message.verdicts[i]);
        return;
      case 'step':
        record(message.id, message.step);
        return;
      case 'borrow':
      case 'answered':
      case 'returned':
      case 'dialogue':
      case 'answer':
      case 'crash':
      case 'counts':
      case 'beat':
      case 'drained':
        onNotice(message);
    }
  }

  function settle(id: number, verdict: Verdict | undefined): void {
    const item = outstanding.get(id);
    if (item === undefined || verdict === undefined) return;
    outstanding.delete(id);
    onVerdict(item, verdict);
  }

  function record(id: number, step: Step): void {
    outstanding.get(id)?.recorder?.(step);
  }

  function ask(subject: Subject, item: Item): void {
    const id = serial++;
    outstanding.set(id, item);
    const { subjects, asks } = batch();
    subjects.add(subject);
    asks.ids.push(id);
    asks.destinations.push(subject.number);
    asks.recipients.push(item.recipient);
    asks.deadlinesMs.push(item.deadlineMs);
    if (item.recorder !== null) asks.traced.push(id);
    if (item.fresh) asks.fresh.push(id);
  }

  /** The one that has room. The first of a turn orders the packets for its end. */
  function batch(): Batch {
    const last = gathered.at(-1);
    if (last !== undefined && last.asks.ids.length < MOST_ASKS) return last;
    if (last === undefined && port !== null) later(flush);
    const next = emptyBatch();
    gathered.push(next);
    return next;
  }

  function flush(): void {
    if (port === null) return;
    for (const { subjects, asks } of gathered.splice(0)) post([...[...subjects].flatMap(introduce), asks]);
  }

  /** What must precede a message about this destination: nothing where the thread knows its newest route. */
  function introduce(subject: Subject): ToWorker[] {
    if (known.get(subject.number) === subject.version) return [];
    known.set(subject.number, subject.version);
    return [{ kind: 'destination', destination: subject.number, route: subject.route }];
  }

  function tell(subject: Subject, message: ToWorker): void {
    if (port !== null) post([...introduce(subject), message]);
  }

  function send(message: ToWorker): boolean {
    if (port === null) return false;
    post([message]);
    return true;
  }

  function forget(destination: number): void {
    if (known.delete(destination)) send({ kind: 'forget', destination });
  }

  function post(messages: readonly ToWorker[]): void {
    const packet = packToWorker(messages);
    port?.postMessage(packet, [packet.buffer]);
  }

  function lose(): Item[] {
    port?.close();
    port = null;
    known.clear();
    const untold = new Set(gathered.flatMap(({ asks }) => asks.ids));
    const lost: Item[] = [];
    for (const [id, item] of outstanding) {
      if (untold.has(id)) continue;
      outstanding.delete(id);
      lost.push(item);
    }
    return lost;
  }

  function abandon(): Item[] {
    port?.close();
    port = null;
    gathered.length = 0;
    const items = [...outstanding.values()];
    outstanding.clear();
    return items;
  }

  return { open, lose, ask, tell, send, forget, flush, abandon };
}

function emptyBatch(): Batch {
  return {
    subjects: new Set(),
    asks: { kind: 'asks', ids: [], destinations: [], recipients: [], deadlinesMs: [], traced: [], fresh: [] },
  };
}
