import type { z } from 'zod';
import type { Problem } from '../errors.ts';
import { either } from './fields.ts';
import type { Path, ReadFile } from './positions.ts';
import { similar } from './similar.ts';

/** Something wrong at a place of the configuration. `blame` says what a message points at: the value, or the key that should not be there. */
export type Fault = Readonly<{ severity: 'error' | 'warning'; path: Path; blame: 'key' | 'value'; message: string }>;

export function errorAt(path: Path, message: string): Fault {
  return { severity: 'error', path, blame: 'value', message };
}

export function warningAt(path: Path, message: string): Fault {
  return { severity: 'warning', path, blame: 'value', message };
}

/** What zod found, an unknown key at a time. `schema` is the JSON Schema of the whole file: it knows the keys that were possible. */
export function faultsOf(issues: readonly z.core.$ZodIssue[], schema: JsonSchema, parent: Path = []): readonly Fault[] {
  return issues.flatMap((issue): Fault[] => {
    const path = [...parent, ...issue.path.filter((part) => typeof part !== 'symbol')];
    const meant = issue.code === 'invalid_union' ? meantAlternative(issue.errors) : undefined;
    if (meant !== undefined) return [...faultsOf(meant, schema, path)];
    if (issue.code === 'invalid_key')
      return [{ ...errorAt(path, issue.issues[0]?.message ?? issue.message), blame: 'key' }];
    if (issue.code !== 'unrecognized_keys') return [errorAt(path, issue.message)];
    const known = knownKeys(schema, path);
    return issue.keys.map((key) => ({ ...errorAt([...path, key], unknownKey(key, known)), blame: 'key' }));
  });
}

/** Faults as problems of a file, in the order of the file. */
export function problemsOf(faults: readonly Fault[], file: ReadFile): readonly Problem[] {
  const problems = faults.map(({ severity, path, blame, message }): Problem => {
    const named = nameOf(path, file);
    const position = blame === 'key' ? file.atKey(path) : file.at(path);
    return { severity, ...position, message: named === '' ? message : `${named}: ${message}` };
  });
  return inOrder(problems);
}

export function inOrder(problems: readonly Problem[]): readonly Problem[] {
  return problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
}

/** A value that could not be read is one problem: what else would be said of it is left away. */
export function merge(reading: readonly Problem[], checking: readonly Problem[]): readonly Problem[] {
  const said = new Set(reading.map(({ line, column }) => `${line}:${column}`));
  return inOrder([...reading, ...checking.filter(({ line, column }) => !said.has(`${line}:${column}`))]);
}

/** The part of JSON Schema that ours is written in. */
export type JsonSchema = Readonly<{
  properties?: Readonly<Record<string, JsonSchema>>;
  additionalProperties?: JsonSchema | boolean;
  items?: JsonSchema;
  anyOf?: readonly JsonSchema[];
  required?: readonly string[];
  default?: unknown;
  description?: string;
  'x-expected'?: string;
}>;

/** Of alternatives the one that was of the right kind, and wrong only inside. */
function meantAlternative(alternatives: readonly (readonly z.core.$ZodIssue[])[]) {
  const kinds = new Set(['invalid_type', 'invalid_value', 'invalid_union']);
  return alternatives.find((issues) => issues.every(({ code, path }) => path.length > 0 || !kinds.has(code)));
}

function unknownKey(key: string, known: readonly string[]): string {
  const meant = similar(key, known);
  return meant === null ? `unknown key: expected ${either(known)}` : `unknown key: did you mean ${meant}?`;
}

function knownKeys(schema: JsonSchema, path: Path): readonly string[] {
  let at: JsonSchema = schema;
  for (const part of path) {
    at = typeof part === 'number' ? itemsOf(at) : underKey(at, part);
  }
  return Object.keys(mappingOf(at).properties ?? {});
}

function underKey(schema: JsonSchema, key: string): JsonSchema {
  const { properties = {}, additionalProperties } = mappingOf(schema);
  return properties[key] ?? (typeof additionalProperties === 'object' ? additionalProperties : {});
}

function itemsOf({ items, anyOf = [] }: JsonSchema): JsonSchema {
  return items ?? anyOf.find((alternative) => alternative.items !== undefined)?.items ?? {};
}

/** Of alternatives the one that has keys. */
function mappingOf(schema: JsonSchema): JsonSchema {
  return schema.anyOf?.find((alternative) => alternative.properties !== undefined) ?? schema;
}

/** `recipientAccess.inbound[0].match`: an index is left away where the file has one value in place of a list. */
function nameOf(path: Path, file: ReadFile): string {
  let name = '';
  for (const [index, part] of path.entries()) {
    if (typeof part === 'string') name += name === '' ? part : `.${part}`;
    else if (file.has(path.slice(0, index + 1))) name += `[${part}]`;
  }
  return name;
}
