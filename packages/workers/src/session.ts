/** One session with a server: asks about recipients and says what became of each as the replies arrive. */
import type { Probe } from '@callahead/core';
import type { Habits } from './habits.ts';
import type { Open } from './opening.ts';
import { attemptDeadlineMs, type Query, type Tell } from './query.ts';
import { askTogether, roomIn, type Standing, type Turn, wasLost } from './transaction.ts';

export type Session = Readonly<{
  /** Asks all of them and tells each exactly once. One call at a time. */
  ask(queries: readonly Query[], tell: Tell): Promise<void>;
  /** It has asked nothing yet. */
  fresh(): boolean;
  /** How many recipients it may still ask (SPEC 8.6); 0 when it must be replaced. */
  room(): number;
  /** Asked though it was, it never gave a RCPT reply (SPEC 8.5). */
  failed(): boolean;
  /** Ends with QUIT. Settles when the connection is closed. */
  quit(): Promise<void>;
  /** Ends at once. Settles when the connection is closed. */
  destroy(): Promise<void>;
  closed: Promise<void>;
}>;

export type SessionOptions = Readonly<{
  opened: Open;
  probe: Probe;
  /** Are these settings still its destination's? Else it must be replaced. */
  current: () => boolean;
  habits: Habits;
  now: () => number;
  /** Called at the first reply to a RCPT, and now and then at later ones. */
  answered: () => void;
}>;

const QUIT_TIMEOUT_MS = 1000;
const LONGEST_TIMER_MS = 2 ** 30;

export function createSession({ opened, probe, current, habits, now, answered }: SessionOptions): Session {
  const { conversation } = opened;
  const openedMs = now();
  const standing: Standing = {
    transaction: null,
    asked: 0,
    rejected: 0,
    replies: 0,
    answeredMs: 0,
    worn: false,
    expired: false,
  };

  async function ask(queries: readonly Query[], tell: Tell): Promise<void> {
    const outstanding = new Set(queries);
    const stop = watch(outstanding);
    const reused = standing.asked > 0;
    const repliesBefore = standing.replies;
    const turn: Turn = {
      opened,
      probe,
      habits,
      now,
      answered,
      standing,
      settle(query, told) {
        if (outstanding.delete(query)) tell(query, told);
      },
      foundDead: () => reused && standing.replies === repliesBefore,
    };
    let rest = queries;
    // Where a rejection turns out to take its time the others go to whoever is free.
    while (rest.length > 0 && room() > 0 && (rest.length === queries.length || !habits.rejectsSlowly())) {
      const group = nextGroup(rest);
      const unasked = await askTogether(turn, group);
      rest = [...unasked, ...rest.slice(group.length)];
    }
    for (const query of rest) turn.settle(query, { kind: 'again', manner: query.manner });
    stop();
  }

  /** The next recipients that fit into one transaction. */
  function nextGroup(rest: readonly Query[]): readonly Query[] {
    const utf8At = rest.findIndex((query) => query.utf8);
    if (utf8At === 0 || wasLost(rest[0])) return rest.slice(0, 1);
    if (habits.rejectsSlowly()) return rest.slice(0, 1);
    const limit = habits.transactionLimit(probe);
    // A group leaves in one write, so the server may refuse all of it: as many as it is likely to refuse few enough of.
    const likely = Math.floor((probe.maxRejectionsPerSession - standing.rejected) / habits.rejectionShare());
    const lostAt = rest.findIndex(wasLost);
    const plain = Math.min(utf8At < 0 ? rest.length : utf8At, lostAt < 0 ? rest.length : lostAt);
    const most = Math.max(1, Math.min(limit, room(), likely, plain));
    // A MAIL that leaves with the RCPTs costs no round trip, and filling up the open transaction first may cost one.
    if (opened.capabilities.pipelining) return rest.slice(0, most);
    const left = roomIn(standing.transaction, { probe, habits }, false);
    return rest.slice(0, left === 0 ? most : Math.min(most, left));
  }

  /** Ends the connection when the time of one outstanding recipient is over: what comes later would be taken for another one's (SPEC 4.7). */
  function watch(outstanding: ReadonlySet<Query>): () => void {
    let timer: NodeJS.Timeout | null = null;
    function look(): void {
      let dueMs = Number.POSITIVE_INFINITY;
      for (const query of outstanding) dueMs = Math.min(dueMs, attemptDeadlineMs(query));
      if (dueMs > now()) {
        timer = setTimeout(look, Math.min(Math.max(1, dueMs - now()), LONGEST_TIMER_MS));
        return;
      }
      standing.expired = true;
      standing.worn = true;
      conversation.destroy();
    }
    look();
    return () => {
      if (timer !== null) clearTimeout(timer);
    };
  }

  function room(): number {
    if (standing.worn || !conversation.usable() || !current()) return 0;
    if (standing.rejected >= probe.maxRejectionsPerSession) return 0;
    if (now() - openedMs >= probe.sessionLifetimeMs) return 0;
    return Math.max(0, probe.maxRecipientsPerSession - standing.asked);
  }

  return {
    ask,
    fresh: () => standing.asked === 0,
    room,
    failed: () => standing.asked > 0 && standing.replies === 0,
    async quit() {
      if (conversation.usable()) await conversation.quit(QUIT_TIMEOUT_MS);
      await conversation.closed;
    },
    async destroy() {
      conversation.destroy();
      await conversation.closed;
    },
    closed: conversation.closed,
  };
}
