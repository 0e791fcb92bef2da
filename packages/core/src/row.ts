/** What can stand in a row; only the row writes these. */
type Standing<T> = { before: T | null; after: T | null };

/** Those that came last stand last. Everything costs the same however many there are, which a Map cannot say: it walks over what was deleted at its front. */
export type Row<T> = Readonly<{
  first(): T | null;
  append(one: T): void;
  /** `one` stands in this row. */
  remove(one: T): void;
}>;

export function createRow<T extends Standing<T>>(): Row<T> {
  let first: T | null = null;
  let last: T | null = null;
  return {
    first: () => first,
    append(one) {
      one.before = last;
      one.after = null;
      if (last === null) first = one;
      else last.after = one;
      last = one;
    },
    remove(one) {
      if (one.before === null) first = one.after;
      else one.before.after = one.after;
      if (one.after === null) last = one.before;
      else one.after.before = one.before;
    },
  };
}
