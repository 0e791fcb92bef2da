/** The last recipients, for those who want to see what happens. Nothing is built until somebody looks. */
import type { Event } from '@callahead/core';
import { createRing } from './ring.ts';

export type RecipientEvent = Extract<Event, Readonly<{ event: 'recipient.accepted' | 'recipient.rejected' }>>;

/** One recipient as the API shows it. */
export type VerdictRow = Readonly<{
  id: number;
  at: string;
  session: string;
  listener: string;
  client: string;
  recipient: string;
  outcome: 'accepted' | 'rejected';
  kind: RecipientEvent['kind'];
  source: RecipientEvent['source'];
  profile: string;
  server: string;
  code: number;
  reason: string;
  ref: string;
  monitor: boolean;
}>;

/** What rows must have; null: whatever. `recipient` is a part of the address in lower case. */
export type Wanted = Readonly<{
  kind: string | null;
  outcome: string | null;
  profile: string | null;
  listener: string | null;
  server: string | null;
  recipient: string | null;
}>;

export type Recent = Readonly<{
  add(event: RecipientEvent): void;
  /** Newest first, at most `limit`; only those whose id is below `before`. */
  find(wanted: Wanted, limit: number, before: number): readonly VerdictRow[];
  /** Those after `id`, oldest first; of more than `limit` the newest, and how many are left out. */
  since(id: number, limit: number): Readonly<{ rows: readonly VerdictRow[]; skipped: number }>;
  /** How many there were; the id of the last one. */
  total(): number;
}>;

const KEPT = 1_000;

type Kept = Readonly<{ event: RecipientEvent; atMs: number }>;

/** `wallMs`: milliseconds since 1970. */
export function createRecent(wallMs: () => number): Recent {
  const ring = createRing<Kept>(KEPT);

  function add(event: RecipientEvent): void {
    ring.add({ event, atMs: wallMs() });
  }

  function find(wanted: Wanted, limit: number, before: number): readonly VerdictRow[] {
    const rows: VerdictRow[] = [];
    for (let id = Math.min(ring.total(), before - 1); rows.length < limit; id--) {
      const kept = ring.at(id);
      if (kept === undefined) break;
      if (isWanted(kept.event, wanted)) rows.push(rowOf(id, kept));
    }
    return rows;
  }

  function since(id: number, limit: number): Readonly<{ rows: readonly VerdictRow[]; skipped: number }> {
    const from = Math.max(id, ring.total() - limit, 0);
    const rows: VerdictRow[] = [];
    for (let next = from + 1; next <= ring.total(); next++) {
      const kept = ring.at(next);
      if (kept !== undefined) rows.push(rowOf(next, kept));
    }
    return { rows, skipped: Math.max(0, from - id) };
  }

  return { add, find, since, total: ring.total };
}

function isWanted(event: RecipientEvent, wanted: Wanted): boolean {
  const is = (wish: string | null, value: string): boolean => wish === null || wish === value;
  return (
    is(wanted.kind, event.kind) &&
    is(wanted.outcome, outcomeOf(event)) &&
    is(wanted.profile, event.profile) &&
    is(wanted.listener, event.listener) &&
    is(wanted.server, event.server) &&
    (wanted.recipient === null || event.recipient.toLowerCase().includes(wanted.recipient))
  );
}

function outcomeOf({ event }: RecipientEvent): VerdictRow['outcome'] {
  return event === 'recipient.accepted' ? 'accepted' : 'rejected';
}

function rowOf(id: number, { event, atMs }: Kept): VerdictRow {
  const { session, listener, client, recipient, kind, source, profile, server, code, ref } = event;
  const isRefused = event.event === 'recipient.rejected';
  return {
    id,
    at: new Date(atMs).toISOString(),
    session,
    listener,
    client,
    recipient,
    outcome: outcomeOf(event),
    kind,
    source,
    profile,
    server,
    code,
    reason: isRefused ? event.reason : '',
    ref,
    monitor: isRefused ? false : event.monitor,
  };
}
