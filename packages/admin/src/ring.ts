/** The last things of a kind, counted from 1, in a place that does not grow. */
export type Ring<Thing> = Readonly<{
  add(thing: Thing): void;
  /** undefined: not there yet, or no longer. */
  at(id: number): Thing | undefined;
  /** How many there were; the id of the last one. */
  total(): number;
}>;

export function createRing<Thing>(size: number): Ring<Thing> {
  const places: Thing[] = [];
  let total = 0;
  return {
    add(thing) {
      places[total % size] = thing;
      total++;
    },
    at: (id) => (id > total - size && id <= total ? places[(id - 1) % size] : undefined),
    total: () => total,
  };
}
