import type { JsonSchema } from './faults.ts';
import { isPlain } from './plain.ts';
import { readYaml } from './positions.ts';

/** What stands for a secret where a configuration is shown. */
export const HIDDEN = '(hidden)';

/**
 * A configuration file as it may be shown: as it was written, with the defaults of what it leaves out. Environment variables are not expanded, for
 * what is in them may be secret; secrets of the text are hidden, those of files are not read here. `text` has been parsed before.
 */
export function writtenConfiguration(text: string, schema: JsonSchema): object {
  const written = readYaml(text, unexpanded).value;
  const complete = withDefaults(written ?? {}, schema);
  return isPlain(complete) ? complete : {};
}

const unexpanded: Readonly<Record<string, string>> = new Proxy({}, { get: (_, name) => `\${${String(name)}}` });

function withDefaults(written: unknown, schema: JsonSchema): unknown {
  if (Array.isArray(written)) return written.map((item) => withDefaults(item, itemsOf(schema)));
  if (!isPlain(written)) return typeof written === 'string' ? withoutCredentials(written) : written;
  const { properties = {}, additionalProperties } = mappingOf(schema);
  const others = typeof additionalProperties === 'object' ? additionalProperties : {};
  const said = Object.entries(written).filter(([, value]) => value !== null);
  const saidKeys = new Set(said.map(([key]) => key));
  const left = Object.entries(properties).filter(
    ([key, { default: byDefault }]) => !saidKeys.has(key) && byDefault !== undefined,
  );
  return Object.fromEntries([
    ...said.map(([key, value]) => [key, isSecret(key) ? HIDDEN : withDefaults(value, properties[key] ?? others)]),
    ...left.map(([key, inner]) => [key, withDefaults(inner.default, inner)]),
  ]);
}

/** By its name, so that a key is hidden the day it is invented. A path to a secret is none. */
function isSecret(key: string): boolean {
  return /password|passphrase|secret|token|^addressKey$/i.test(key) && !/file$/i.test(key);
}

/** `scheme://user:password@host`, of which the password is hidden. */
function withoutCredentials(text: string): string {
  return text.replace(/^([a-z][a-z\d+.-]*:\/\/[^:@/]*):[^@]*@/i, `$1:${HIDDEN}@`);
}

function itemsOf({ items, anyOf = [] }: JsonSchema): JsonSchema {
  return items ?? anyOf.find((alternative) => alternative.items !== undefined)?.items ?? {};
}

/** Of alternatives the one that has keys. */
function mappingOf(schema: JsonSchema): JsonSchema {
  if (schema.properties !== undefined || schema.anyOf === undefined) return schema;
  return schema.anyOf.find((alternative) => alternative.properties !== undefined) ?? schema;
}
