/** A mapping as it stands in the file, before anything is known of it. */
export type Plain = Readonly<Record<string, unknown>>;

export function isPlain(input: unknown): input is Plain {
  return typeof input === 'object' && input !== null && !Array.isArray(input);
}

/** What stands under `key` of `root` by name; nothing where there is no mapping of mappings. */
export function keysOf(root: Plain, key: string): readonly (readonly [string, Plain])[] {
  const mapping = root[key];
  if (!isPlain(mapping)) return [];
  return Object.entries(mapping).flatMap(([name, inner]) => {
    if (inner === null) return [[name, {}] as const];
    return isPlain(inner) ? [[name, inner] as const] : [];
  });
}

/** Is `name` a key of the mapping under `key` of `root`? */
export function isDefined(root: Plain, key: string, name: string): boolean {
  const mapping = root[key];
  return isPlain(mapping) && Object.hasOwn(mapping, name);
}

/** The names defined under `key` of `root`. */
export function namesOf(root: Plain, key: string): readonly string[] {
  const mapping = root[key];
  return isPlain(mapping) ? Object.keys(mapping) : [];
}
