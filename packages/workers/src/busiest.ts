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

/** What was counted so long ago weighs half as much: who was busy yesterday gives way. */
const HALF_LIFE_MS = 600_000;
/** A place is kept so long at least, or totals would begin anew all the time. */
const KEPT_MS = 60_000;

export function createBusiest<Total>({ most, create, now }: BusiestOptions<Total>): Busiest<Total> {
  const places = new Map<string, Place<Total>>();
  const rests = new Map<string, Total>();
  let fadedMs = now();

  function of(name: string, rest: string, weight: number): Total {
    fade();
    const place = places.get(name) ?? settle(name, weight);
    if (place === null) return restOf(rest);
    place.weight += weight;
    return place.total;
  }

  /** A place of its own: a free one, or that of one which is clearly less busy. */
  function settle(name: string, weight: number): Place<Total> | null {
    if (places.size >= most) {
      const least = leastBusy();
      if (least === null || least.weight >= weight) return null;
      places.delete(least.name);
    }
    const place = { total: create(name), weight: 0, sinceMs: now() };
    places.set(name, place);
    return place;
  }

  function leastBusy(): Readonly<{ name: string; weight: number }> | null {
    let least: Readonly<{ name: string; weight: number }> | null = null;
    for (const [name, { weight, sinceMs }] of places) {
      if (now() - sinceMs >= KEPT_MS && (least === null || weight < least.weight)) least = { name, weight };
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
    const share = 0.5 ** (passedMs / HALF_LIFE_MS);
    for (const place of places.values()) place.weight *= share;
  }

  return { of, all: () => [...[...places.values()].map(({ total }) => total), ...rests.values()] };
}
