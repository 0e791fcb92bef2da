import { type Client, createRow, type Emit, type Row } from '@callahead/core';
import { clientPrefix } from './client-prefix.ts';

/**
 * Counts the recipients of each client that do not exist (SPEC 6.3): per address or prefix, within the hour that ends now, over all sessions and
 * listeners that share it. A client whose policy has no limit, or is `relay`, is neither counted nor blocked.
 */
export type HarvestCounter = Readonly<{
  /** Has the client had as many invalid recipients within the hour as its policy allows? It has no more once the first of these is an hour old. */
  blocks(client: Client): boolean;
  /** Counts one, of a client that is not blocked. `recipient` is its canonical address, for the log. */
  count(client: Client, listener: string, recipient: string): void;
  /** What is remembered at this moment. */
  size(): Readonly<{ clients: number; times: number }>;
}>;

export type HarvestOptions = Readonly<{
  emit: Emit;
  /** Milliseconds; never goes back. */
  now: () => number;
  /** As many clients as are remembered. */
  maxClients?: number;
  /** As many invalid recipients as are remembered, of all clients together. */
  maxTimes?: number;
}>;

const HOUR_MS = 3_600_000;
/** About 50 MB. */
const MAX_CLIENTS = 100_000;
/** At most 50 MB: array growth included, 12 octets a time. */
const MAX_TIMES = 4_000_000;
/** How many of the last addresses before a crossing are logged. */
const SAMPLES = 5;

type Counted = {
  readonly prefix: string;
  /** When, oldest first. Those that are over an hour old are cut off once they are half. */
  times: number[];
  /** Only those that a crossing would log: a client that is far from it costs no addresses. */
  samples: string[];
  /** The smallest limit it has been counted by. */
  limit: number;
  row: Row<Counted>;
  before: Counted | null;
  after: Counted | null;
};

/** One counter, for all listeners of a gateway. */
export function createHarvestCounter(options: HarvestOptions): HarvestCounter {
  const { emit, now, maxClients = MAX_CLIENTS, maxTimes = MAX_TIMES } = options;
  const clients = new Map<string, Counted>();
  // By how much they count (powers of two), each in the order in which they counted last: who is forgotten first stands first.
  const ranks: Row<Counted>[] = [];
  const blocked = createRow<Counted>();
  // A client's policy is decided once a session, and it is asked about at every RCPT.
  const prefixes = new WeakMap<Client, string>();
  let times = 0;

  function blocks(client: Client): boolean {
    const { action, harvest } = client.admission.policy;
    if (harvest.limit === null || action === 'relay') return false;
    if (harvest.limit === 0) return true;
    const counted = clients.get(prefixOf(client));
    return counted !== undefined && isFull(counted.times, harvest.limit, now());
  }

  function count(client: Client, listener: string, recipient: string): void {
    const { group, policy } = client.admission;
    const { limit } = policy.harvest;
    if (limit === null || limit === 0 || policy.action === 'relay') return;
    const atMs = now();
    forgetOld(atMs);
    const counted = clients.get(prefixOf(client)) ?? admit(prefixOf(client), limit, atMs);
    if (counted === null || !hasRoom(counted, atMs)) return;
    cut(counted, atMs);
    counted.times.push(atMs);
    times++;
    counted.limit = Math.min(counted.limit, limit);
    if (counted.times.length > limit - SAMPLES) {
      counted.samples = [...counted.samples, ownString(recipient)].slice(-SAMPLES);
    }
    rank(counted, atMs);
    const firstMs = counted.times.at(-limit);
    if (firstMs === undefined || firstMs <= atMs - HOUR_MS) return;
    const samples = counted.samples.slice(-limit);
    counted.samples = [];
    const until = new Date(performance.timeOrigin + firstMs + HOUR_MS).toISOString();
    const about = { listener, client: counted.prefix, group, policy: policy.name };
    emit({ event: 'dhap.blocked', ...about, count: limit, samples, until });
  }

  function prefixOf(client: Client): string {
    const found = prefixes.get(client);
    if (found !== undefined) return found;
    const prefix = clientPrefix(client.address, client.admission.policy.harvest);
    prefixes.set(client, prefix);
    return prefix;
  }

  /** Null: all that are remembered are blocked, and to forget one of them would open the door to it. */
  function admit(prefix: string, limit: number, atMs: number): Counted | null {
    if (clients.size >= maxClients && !forgetLeast(null, atMs)) return null;
    const row = rankOf(1);
    const counted: Counted = { prefix, times: [], samples: [], limit, row, before: null, after: null };
    clients.set(prefix, counted);
    row.append(counted);
    return counted;
  }

  function hasRoom(counted: Counted, atMs: number): boolean {
    while (times >= maxTimes) if (!forgetLeast(counted, atMs)) return false;
    return true;
  }

  function rank(counted: Counted, atMs: number): void {
    counted.row.remove(counted);
    counted.row = isFull(counted.times, counted.limit, atMs) ? blocked : rankOf(counted.times.length);
    counted.row.append(counted);
  }

  function rankOf(length: number): Row<Counted> {
    const power = 31 - Math.clz32(length);
    while (ranks.length <= power) ranks.push(createRow());
    return ranks[power] ?? blocked;
  }

  /** Who has counted nothing within the hour is nobody. */
  function forgetOld(atMs: number): void {
    for (const row of [blocked, ...ranks]) {
      for (let first = row.first(); first !== null && isOld(first, atMs); first = row.first()) forget(first);
    }
  }

  /** Makes room: of those who count least the one that did so longest ago, of the blocked only one whose hour is over. False: there is none but `own`. */
  function forgetLeast(own: Counted | null, atMs: number): boolean {
    for (const row of ranks) {
      const first = row.first();
      const least = first === own ? (own?.after ?? null) : first;
      if (least === null) continue;
      forget(least);
      return true;
    }
    const first = blocked.first();
    if (first === null || first === own || isFull(first.times, first.limit, atMs)) return false;
    forget(first);
    return true;
  }

  function forget(counted: Counted): void {
    counted.row.remove(counted);
    clients.delete(counted.prefix);
    times -= counted.times.length;
  }

  function cut(counted: Counted, atMs: number): void {
    const middleMs = counted.times[counted.times.length >> 1];
    if (middleMs === undefined || middleMs > atMs - HOUR_MS) return;
    const live = counted.times.filter((timeMs) => timeMs > atMs - HOUR_MS);
    times -= counted.times.length - live.length;
    counted.times = live;
  }

  return { blocks, count, size: () => ({ clients: clients.size, times }) };
}

function isOld({ times }: Counted, atMs: number): boolean {
  return (times.at(-1) ?? Number.NEGATIVE_INFINITY) <= atMs - HOUR_MS;
}

/** `times` grow, so the window holds `limit` exactly while the last but so many is in it. */
function isFull(times: readonly number[], limit: number, atMs: number): boolean {
  const firstMs = times.at(-limit);
  return firstMs !== undefined && firstMs > atMs - HOUR_MS;
}

/** What is a part of a longer string keeps all of that in memory, and a client may write long lines. */
function ownString(text: string): string {
  return Buffer.from(text).toString();
}
