import { type Flush, type Hop, serverName } from '@callahead/core';
import { by } from './deadline.ts';
import { type Dns, STALE_AFTER_MS } from './dns.ts';
import { createMemory } from './memory.ts';
import { DEFAULT_PORT, type Resolved, type Servers, trouble } from './resolved.ts';
import type { Hops } from './stage.ts';

/** One destination while it keeps its servers: the same object as long as no name, preference or address changed, so that comparing is cheap. */
export type Destination = Readonly<{ kind: 'destination' }> & Pick<Servers, 'names' | 'tiers' | 'within'>;

export type Found = Destination | Extract<Resolved, { kind: 'known' }>;

/** Remembers where hops lead. A value, not a promise, where the answer is known and fresh. */
export type Destinations = Readonly<{
  find(at: Hops): Found | Promise<Found>;
  flush(what: Flush): void;
}>;

type Remembered = Readonly<{ resolved: Resolved; found: () => Found; hops: readonly string[] }>;
type Flight = Readonly<{ found: Promise<Found>; staleAtMs: number }>;
type Cell = { print: string; destination: Destination };

const MAX_REMEMBERED = 50_000;

/** One look-up at a time for equal hops, whoever waits. */
export function createDestinations(
  resolve: (at: Hops) => Promise<Resolved>,
  dns: Pick<Dns, 'forget'>,
  now: () => number,
): Destinations {
  const remembered = createMemory<Remembered>(MAX_REMEMBERED);
  // By names: two domains with the same exchanges are one destination, and both get what was resolved last.
  const cells = createMemory<Cell>(MAX_REMEMBERED);
  const flights = new Map<string, Flight>();

  function find(at: Hops): Found | Promise<Found> {
    const question = questionOf(at);
    const known = remembered.get(question);
    if (known !== undefined && now() < known.resolved.expiresAtMs) return known.found();
    const flight = flights.get(question) ?? depart(at, question);
    if (known?.resolved.kind !== 'servers') return flight.found;
    // One name that nobody answers for must not hold up recipients whose servers are known: those serve on (SPEC 5.6).
    return by(flight.found, flight.staleAtMs, now, known.found);
  }

  function depart(at: Hops, question: string): Flight {
    const found = resolve(at)
      .catch(broken)
      .then((resolved) => land(resolved, at, question, flight));
    const flight: Flight = { found, staleAtMs: now() + STALE_AFTER_MS };
    flights.set(question, flight);
    return flight;
  }

  function land(resolved: Resolved, at: Hops, question: string, flight: Flight): Found {
    const found = settle(resolved);
    // A flush in the meantime has taken the flight off the list: its answer is of before the flush.
    if (flights.get(question) !== flight) return found();
    flights.delete(question);
    if (now() < resolved.expiresAtMs) {
      remembered.set(question, { resolved, found, hops: at.hops.map((hop) => hop.name) });
    }
    return found();
  }

  function settle(resolved: Resolved): () => Found {
    if (resolved.kind === 'known') return () => resolved;
    const { names, print, tiers, within } = resolved;
    const fresh: Destination = { kind: 'destination', names, tiers, within };
    const cell = cells.get(names);
    if (cell === undefined) {
      const made = { print, destination: fresh };
      cells.set(names, made);
      return () => made.destination;
    }
    if (cell.print !== print) Object.assign(cell, { print, destination: fresh });
    return () => cell.destination;
  }

  function flush(what: Flush): void {
    flights.clear();
    const names = new Set<string>();
    for (const [question, entry] of [...remembered.entries()]) {
      if (!concerns(entry, what)) continue;
      remembered.delete(question);
      for (const name of entry.resolved.about) names.add(name);
    }
    dns.forget('value' in what ? [...names, nameIn(what)] : what.kind);
  }

  return { find, flush };
}

/** A broken program must not keep its flight on the list for ever. */
function broken(error: unknown): Resolved {
  return trouble('no-route', `routing broke: ${error}`, [], Number.NEGATIVE_INFINITY);
}

function concerns({ resolved, hops }: Remembered, what: Flush): boolean {
  switch (what.kind) {
    case 'all':
      return true;
    case 'negative':
      return resolved.kind === 'known';
    case 'domain':
    case 'recipient':
      return hops.includes(nameIn(what));
    case 'server':
      return (
        hops.includes(nameIn(what)) ||
        (resolved.kind === 'servers' && resolved.tiers.flat().some((server) => serverName(server) === what.value))
      );
  }
}

/** The name that a flush is about: the recipient's domain, the domain, or the server's host. */
function nameIn(what: Extract<Flush, { value: string }>): string {
  switch (what.kind) {
    case 'recipient':
      return what.value.slice(what.value.lastIndexOf('@') + 1).toLowerCase();
    case 'domain':
      return what.value.toLowerCase();
    case 'server':
      return what.value.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  }
}

const texts = new WeakMap<Hops['hops'], string>();

/** Equal for hops that lead to the same place. A profile's list is the same object for every recipient: its text is made once. */
function questionOf(at: Hops): string {
  const [hop] = at.hops;
  if (at.named === 'recipient' && hop !== undefined) return `recipient ${hop.name} ${hop.port ?? DEFAULT_PORT}`;
  const known = texts.get(at.hops);
  if (known !== undefined) return known;
  const text = `operator ${at.hops.map(textOf).join(', ')}`;
  texts.set(at.hops, text);
  return text;
}

function textOf({ lookup, name, port, preference = 0 }: Hop): string {
  return `${preference} ${lookup} ${name} ${port ?? DEFAULT_PORT}`;
}
