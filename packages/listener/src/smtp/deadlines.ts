import type { Limits } from '@callahead/core';

/** Rings once at a moment that may be moved. Moving it later, which is what happens nearly always, costs no timer. */
export type Alarm = Readonly<{ set(atMs: number): void; clear(): void }>;

export function createAlarm(now: () => number, ring: () => void): Alarm {
  let dueMs = Number.POSITIVE_INFINITY;
  let armedMs = Number.POSITIVE_INFINITY;
  let timer: NodeJS.Timeout | null = null;

  function arm(): void {
    armedMs = dueMs;
    // A timer may fire a part of a millisecond early by a clock with fractions.
    timer = setTimeout(fire, Math.max(0, Math.min(dueMs - now(), LONGEST_TIMER_MS)) + 1);
  }

  function fire(): void {
    timer = null;
    armedMs = Number.POSITIVE_INFINITY;
    if (dueMs === Number.POSITIVE_INFINITY) return;
    if (now() < dueMs) {
      arm();
      return;
    }
    dueMs = Number.POSITIVE_INFINITY;
    ring();
  }

  return {
    set(atMs) {
      dueMs = atMs;
      if (dueMs >= armedMs) return;
      if (timer !== null) clearTimeout(timer);
      arm();
    },
    clear() {
      dueMs = Number.POSITIVE_INFINITY;
      armedMs = Number.POSITIVE_INFINITY;
      if (timer !== null) clearTimeout(timer);
      timer = null;
    },
  };
}

const LONGEST_TIMER_MS = 2 ** 31 - 2;

/** Whose turn it is, and so how long the session waits. All of them are bounded by the session's own deadline (SPEC 9.3). */
export type Deadlines = Readonly<{
  /** The client owes a command, and has not begun one. */
  awaitCommand(): void;
  /** The client has sent a part of a line: it has `commandTimeout` for all of it, however its octets trickle. */
  awaitLineEnd(): void;
  /** We owe the client something; what bounds that is elsewhere. */
  awaitUs(): void;
  /** The client does not read what we said. */
  awaitReader(): void;
  beginMessage(): void;
  /** Octets of the message came, each of which buys time at `minDataRate`; while the next hop takes no more the clock stands still. */
  messageOctets(octets: number): void;
  awaitNextHop(): void;
  clear(): void;
}>;

/** The deadlines of one session; `alarm` is set to the one that counts. */
export function createDeadlines({
  limits,
  now,
  alarm,
}: Readonly<{ limits: Limits; now: () => number; alarm: Alarm }>): Deadlines {
  const sessionMs = now() + limits.sessionTimeoutMs;
  // The time a message starts with, and the most that a fast one can save up for a pause.
  const messageMs = Math.min(limits.commandTimeoutMs, limits.idleTimeoutMs);
  let lineMs = 0;
  let rateMs = 0;
  let pausedMs: number | null = null;

  const wait = (untilMs: number): void => alarm.set(Math.min(untilMs, sessionMs));

  return {
    awaitCommand() {
      lineMs = 0;
      wait(now() + limits.idleTimeoutMs);
    },
    awaitLineEnd() {
      if (lineMs === 0) lineMs = now() + limits.commandTimeoutMs;
      wait(lineMs);
    },
    awaitUs() {
      lineMs = 0;
      wait(sessionMs);
    },
    awaitReader: () => wait(now() + limits.commandTimeoutMs),
    beginMessage() {
      rateMs = now() + messageMs;
      wait(rateMs);
    },
    messageOctets(octets) {
      const nowMs = now();
      if (pausedMs !== null) rateMs += nowMs - pausedMs;
      pausedMs = null;
      const earnedMs = limits.minDataRate > 0 ? (octets * 1_000) / limits.minDataRate : messageMs;
      rateMs = Math.min(rateMs + earnedMs, nowMs + messageMs);
      wait(rateMs);
    },
    awaitNextHop() {
      pausedMs = now();
      wait(sessionMs);
    },
    clear: () => alarm.clear(),
  };
}
