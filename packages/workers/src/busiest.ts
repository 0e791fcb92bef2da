/** Totals of those that are named most, and one for the rest: what is counted by name stays bounded, whatever the number of names (SPEC 10.2). */
export type Busiest<Total> = Readonly<{
  /** The total to which `weight` more of `name` belongs; `rest` is the name of the total that takes what has none of its own. */
  of(name: string, rest: string, weight: number): Total;
  all(): readonly Total[];
}>;

export type BusiestOptions<Total> = Readonly<{
  most: number;
  /** Makes the total of a name. */
  create: (name: string) => Total;
  now: () => number;
}>;

type Place<Total> = { readonly total: Total; weight: number; readonly sinceMs: number };

type Least = Readonly<{ name: string; weight: number }>;

/** So long what was found to be least busy is believed. */
const FOUND_MS = 1_000;
/** What was counted so long ago weighs half as much: who was busy yesterday gives way. */
const HALF_LIFE_MS = 600_000;
/** A place is kept so long at least, or totals would begin anew all the time. */
const KEPT_MS = 60_000;

export function createBusiest<Total>({ most, create, now }: BusiestOptions<Total>): Busiest<Total> {
  const places = new Map<string, Place<Total>>();
  const rests = new Map<string, Total>();
  let fadedMs = now();
  /** A place that may be taken, or none, as it was a moment ago: those that are named once are many, and weights only grow. */
  let found: Readonly<{ atMs: number; least: Least | null }> | null = null;

  function of(name: string, rest: string, weight: number): Total {
    fade();
    const place = places.get(name) ?? settle(name, weight);
    if (place === null) return restOf(rest);
    place.weight += weight;
    return place.total;
  }

  /** A place of its own: a free one, or that of one which is clearly less busy. */
  function settle(name: string, weight: number): Place<Total> | null {
    const nowMs = now();
    if (places.size >= most) {
      const before = found !== null && nowMs - found.atMs < FOUND_MS ? found.least : undefined;
      if (before !== undefined && (before === null || before.weight >= weight)) return null;
      const least = leastBusy(nowMs);
      found = { atMs: nowMs, least };
      if (least === null || least.weight >= weight) return null;
      places.delete(least.name);
      found = null;
    }
    const place = { total: create(name), weight: 0, sinceMs: nowMs };
    places.set(name, place);
    return place;
  }

  function leastBusy(nowMs: number): Least | null {
    let least: Least | null = null;
    for (const [name, { weight, sinceMs }] of places) {
      if (nowMs - sinceMs >= KEPT_MS && (least === null || weight < least.weight)) least = { name, weight };
    }
    return least;
  }

  function restOf(name: string): Total {
    const known = rests.get(name);
    if (known !== undefined) return known;
    const rest = create(name);
    rests.set(name, rest);
    return rest;
  }

  function fade(): void {
    const passedMs = now() - fadedMs;
    if (passedMs < KEPT_MS) return;
    fadedMs = now();
    found = null;
    const share = 0.5 ** (passedMs / HALF_LIFE_MS);
    for (const place of places.values()) place.weight *= share;
  }

  return { of, all: () => [...[...places.values()].map(({ total }) => total), ...rests.values()] };
}
