/**
 * The recipients that wait for a session with one server, in two lines: those that any session may ask, and those that want a new connection. Nobody
 * waits in vain where that can be known: who could not be asked in time is turned away as he comes, or where the server has become slower since, when
 * it would be his turn.
 */
import type { Pace } from './pace.ts';
import { attemptDeadlineMs, type Query } from './query.ts';

export type Waiting = Readonly<{
  /** Takes a query whose attempt begins; false: too many wait before it. */
  enter(query: Query): boolean;
  /** Takes one that is to be asked once more, or in another manner. */
  add(query: Query): void;
  /** So many of those that any session may ask, in the order in which they came. */
  next(most: number): readonly Query[];
  /** What one new connection is for: somebody who must be alone, or so many who need not. */
  nextParticular(most: number): readonly Query[];
  /** Takes those out that `isTaken` says. */
  take(isTaken: (query: Query) => boolean): readonly Query[];
  /** How many any session may ask, and how many want a new connection. */
  any(): number;
  particular(): number;
  /** How many connections they would want, where so many share one that may. */
  connections(together: number): number;
  /** When the last of their attempts ends; 0: nobody waits. */
  latestMs(): number;
}>;

export type WaitingOptions = Readonly<{
  now: () => number;
  pace: Pace;
  /** Its time would be over before the answer comes. */
  late: (query: Query) => void;
}>;

/** Who would wait for longer than this part of his time is not taken: nobody knows exactly how fast a server will be. */
const LONGEST_WAIT = 0.5;

export function createWaiting({ now, pace, late }: WaitingOptions): Waiting {
  let any: Query[] = [];
  let particular: Query[] = [];

  function enter(query: Query): boolean {
    const waitMs = pace.waitMs(any.length);
    if (waitMs > 0 && waitMs > (attemptDeadlineMs(query) - now()) * LONGEST_WAIT) return false;
    add(query);
    return true;
  }

  function add(query: Query): void {
    if (query.manner.kind === 'any') any.push(query);
    else particular.push(query);
  }

  function next(most: number): readonly Query[] {
    const first = any.splice(0, most);
    const nowMs = now();
    const inTime = first.filter((query) => !isLate(query, nowMs));
    if (inTime.length === first.length) return first;
    for (const query of first) if (!inTime.includes(query)) late(query);
    return [...inTime, ...next(most - inTime.length)];
  }

  function isLate(query: Query, nowMs: number): boolean {
    if (query.at.kind !== 'server') return false;
    const leftMs = attemptDeadlineMs(query) - nowMs;
    // Whoever has most of his time left is asked, however long it took with others.
    return leftMs < pace.turnMs() && leftMs < nowMs - query.at.attempt.startedMs;
  }

  function nextParticular(most: number): readonly Query[] {
    const [first] = particular;
    if (first === undefined) return [];
    const batch = isAlone(first) ? [first] : particular.filter((query) => !isAlone(query)).slice(0, most);
    particular = particular.filter((query) => !batch.includes(query));
    return batch;
  }

  function take(isTaken: (query: Query) => boolean): readonly Query[] {
    const taken = [...any, ...particular].filter(isTaken);
    if (taken.length === 0) return taken;
    any = any.filter((query) => !isTaken(query));
    particular = particular.filter((query) => !isTaken(query));
    return taken;
  }

  function connections(together: number): number {
    const alone = particular.filter(isAlone).length;
    return alone + Math.ceil((any.length + particular.length - alone) / together);
  }

  function latestMs(): number {
    let latest = 0;
    for (const line of [any, particular]) for (const query of line) latest = Math.max(latest, attemptDeadlineMs(query));
    return latest;
  }

  return {
    enter,
    add,
    next,
    nextParticular,
    take,
    any: () => any.length,
    particular: () => particular.length,
    connections,
    latestMs,
  };
}

function isAlone({ manner }: Query): boolean {
  return manner.kind === 'alone';
}
