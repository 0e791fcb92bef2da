import { createRow } from '@callahead/core';

/** What clients use of what their policies allow, over all listeners. Clients are literal addresses. */
export type Usage = Readonly<{
  /** One more session of a client; `leave` ends it. null: `most` are open already, and this one is not counted. */
  enter(client: string, most: number | null): Readonly<{ leave: () => void }> | null;
  /** May one more recipient be accepted of a client that may have `most` within an hour? */
  hasRoom(client: string, most: number | null): boolean;
  /** A recipient was accepted of a client whose policy counts them. */
  accepted(client: string): void;
  size(): Readonly<{ open: number; counted: number }>;
}>;

const HOUR_MS = 3_600_000;
/** Recipients are counted by the minute: one stays for an hour, and at most a minute longer, and a client takes at most 61 numbers of memory. */
const MINUTE_MS = 60_000;
/** Of how many clients recipients are counted; over it the one is forgotten which asked for nothing the longest. */
const MAX_COUNTED = 100_000;

/** Recipients by the minute in which they were accepted, in the order of time. */
type Hour = {
  readonly client: string;
  readonly minutes: Map<number, number>;
  total: number;
  before: Hour | null;
  after: Hour | null;
};

export function createUsage({
  now,
  maxCounted = MAX_COUNTED,
}: Readonly<{ now: () => number; maxCounted?: number }>): Usage {
  const places = createPlaces();
  const hours = new Map<string, Hour>();
  // In the order of the last time each asked for something.
  const row = createRow<Hour>();

  function touch(hour: Hour): void {
    row.remove(hour);
    row.append(hour);
  }

  function countOf(client: string): Hour {
    const known = hours.get(client);
    if (known !== undefined) return known;
    const hour: Hour = { client, minutes: new Map(), total: 0, before: null, after: null };
    hours.set(client, hour);
    row.append(hour);
    return hour;
  }

  function forgetOldest(): void {
    for (let first = row.first(); first !== null; first = row.first()) {
      if (hours.size <= maxCounted && !isOver(first, now())) return;
      hours.delete(first.client);
      row.remove(first);
    }
  }

  return {
    enter: places.enter,
    hasRoom(client, most) {
      const hour = most === null ? undefined : hours.get(client);
      if (hour === undefined || most === null) return true;
      expire(hour, now());
      touch(hour);
      return hour.total < most;
    },
    accepted(client) {
      const hour = countOf(client);
      expire(hour, now());
      const minute = Math.floor(now() / MINUTE_MS);
      hour.minutes.set(minute, (hour.minutes.get(minute) ?? 0) + 1);
      hour.total++;
      touch(hour);
      forgetOldest();
    },
    size: () => ({ open: places.size(), counted: hours.size }),
  };
}

/** How many sessions each client has; bounded by the sessions there may be. */
export function createPlaces(): Readonly<{ enter: Usage['enter']; size(): number }> {
  const taken = new Map<string, number>();

  function leave(client: string): void {
    const left = (taken.get(client) ?? 1) - 1;
    if (left === 0) taken.delete(client);
    else taken.set(client, left);
  }

  return {
    enter(client, most) {
      const sessions = taken.get(client) ?? 0;
      if (most !== null && sessions >= most) return null;
      taken.set(client, sessions + 1);
      return { leave: () => leave(client) };
    },
    size: () => taken.size,
  };
}

/** Is the whole of the minute an hour ago? */
function isPast(minute: number, nowMs: number): boolean {
  return (minute + 1) * MINUTE_MS + HOUR_MS <= nowMs;
}

function expire(hour: Hour, nowMs: number): void {
  for (const [minute, count] of hour.minutes) {
    if (!isPast(minute, nowMs)) return;
    hour.minutes.delete(minute);
    hour.total -= count;
  }
}

function isOver({ minutes }: Hour, nowMs: number): boolean {
  for (const minute of minutes.keys()) if (!isPast(minute, nowMs)) return false;
  return true;
}
