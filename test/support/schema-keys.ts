/** The keys of the configuration, as its JSON Schema has them. */

export type Schema = {
  description?: string;
  default?: unknown;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  anyOf?: Schema[];
};

/** Every key of the schema by its path, with what is said of it. */
export function keysOf(of: Schema, path = ''): readonly (readonly [string, Schema])[] {
  const own = Object.entries(of.properties ?? {}).flatMap(([key, inner]) => [
    [`${path}${key}`, inner] as const,
    ...keysOf(inner, `${path}${key}.`),
  ]);
  const named = typeof of.additionalProperties === 'object' ? keysOf(of.additionalProperties, `${path}NAME.`) : [];
  const items = of.items === undefined ? [] : keysOf(of.items, `${path}[].`);
  return [...own, ...named, ...items, ...(of.anyOf ?? []).flatMap((alternative) => keysOf(alternative, path))];
}
