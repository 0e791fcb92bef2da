import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  parseDocument,
  type YAMLError,
} from 'yaml';
import type { Problem } from '../errors.ts';

export type Path = readonly (string | number)[];
type Position = Readonly<{ line: number; column: number }>;

/** A file as it was read: plain data with `${ENV_VAR}` expanded, and where each part of it stands. */
export type ReadFile = Readonly<{
  value: unknown;
  /** The text is no YAML: there is no value. */
  broken: boolean;
  problems: readonly Problem[];
  /** Is there something at this path? */
  has(path: Path): boolean;
  /** Where the value at `path` stands; of something that is missing, where the nearest thing around it stands. */
  at(path: Path): Position;
  /** Where the key at the end of `path` stands. */
  atKey(path: Path): Position;
}>;

type Place = Readonly<{ key: Position | null; value: Position | null }>;

const start: Position = { line: 1, column: 1 };

/** Deeper than any section of ours, far less than what would exhaust the stack. */
const maxDepth = 32;
/** A few lines of nested aliases can stand for billions of values. */
const maxAliasedNodes = 10_000;

/** Reads YAML (and so JSON). Bad syntax and undefined variables are among the problems; it never throws. */
export function readYaml(text: string, env: Readonly<Record<string, string | undefined>>): ReadFile {
  const lines = new LineCounter();
  const positionOf = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return line === 0 ? start : { line, column: col };
  };
  const places = new Map<string, Place>();
  const problems: Problem[] = [];
  const report = (position: Position, message: string) => problems.push({ severity: 'error', ...position, message });

  const document = parse(text, lines, (offset, message) => report(positionOf(offset), message));
  const broken = document === null || document.errors.some((error) => error.code !== 'DUPLICATE_KEY');
  const plain = broken ? null : readNodes(document, { env, places, positionOf, report });
  return { value: plain, broken, problems, ...lookUp(places) };
}

function parse(
  text: string,
  lines: LineCounter,
  report: (offset: number, message: string) => void,
): Document.Parsed | null {
  try {
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
    const reported = new Set<number>();
    for (const error of [...document.errors, ...document.warnings]) {
      const [offset] = error.pos;
      // An unclosed bracket is complained of once for each level that it leaves open.
      if (!reported.has(offset)) report(offset, `YAML: ${yamlWords(error)}`);
      reported.add(offset);
    }
    return document;
  } catch (error) {
    // The parser recurses: a file of a hundred thousand brackets exhausts its stack.
    report(0, `YAML: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}

function yamlWords({ code, message }: YAMLError): string {
  return code === 'MULTIPLE_DOCS' ? 'a second document begins: expected one' : message;
}

type Reading = Readonly<{
  env: Readonly<Record<string, string | undefined>>;
  places: Map<string, Place>;
  positionOf(offset: number): Position;
  report(position: Position, message: string): void;
}>;

function readNodes(document: Document.Parsed, { env, places, positionOf, report }: Reading): unknown {
  const anchors = new Map<string, ParsedNode>();
  let aliased = 0;
  let exceeded = false;

  const positionOfNode = (node: ParsedNode | null): Position | null =>
    node === null ? null : positionOf(node.range[0]);

  function read(node: ParsedNode | null, path: Path, key: Position | null, viaAlias: boolean): unknown {
    const position = positionOfNode(node);
    places.set(JSON.stringify(path), { key, value: isScalar(node) && node.value === null ? null : position });
    if (node === null) return null;
    if (viaAlias) aliased += 1;
    if (exceeds(path.length, position)) return null;
    if (isAlias(node)) {
      const target = anchors.get(node.source);
      if (target === undefined) return complain(position, `YAML: the alias *${node.source} has no anchor before it`);
      return read(target, path, key, true);
    }
    if (node.anchor !== undefined) anchors.set(node.anchor, node);
    if (isSeq(node)) return node.items.map((item, index) => read(item, [...path, index], null, viaAlias));
    if (isMap(node)) return readMap(node, path, viaAlias);
    return typeof node.value === 'string' ? expand(node.value, position) : node.value;
  }

  /** One complaint ends the reading: what goes over one limit goes over it thousands of times. */
  function exceeds(depth: number, position: Position | null): boolean {
    if (exceeded) return true;
    exceeded = depth > maxDepth || aliased > maxAliasedNodes;
    if (depth > maxDepth) complain(position, `nested too deeply: expected at most ${maxDepth} levels`);
    else if (exceeded)
      complain(position, `aliases repeat too much: expected at most ${maxAliasedNodes} values by them`);
    return exceeded;
  }

  function readMap(
    node: ParsedNode & { items: { key: ParsedNode; value: ParsedNode | null }[] },
    path: Path,
    viaAlias: boolean,
  ) {
    const entries: [string, unknown][] = [];
    for (const pair of node.items) {
      const position = positionOfNode(pair.key);
      if (!isScalar(pair.key)) {
        complain(position, 'YAML: a key must be a plain word');
        continue;
      }
      const key = String(pair.key.value);
      entries.push([key, read(pair.value, [...path, key], position, viaAlias)]);
    }
    // fromEntries defines: `__proto__` becomes a key like any other.
    return Object.fromEntries(entries);
  }

  function expand(text: string, position: Position | null): string {
    return text.replace(/\$\{(\w+)\}/g, (whole, name: string) => {
      const value = env[name];
      if (value !== undefined) return value;
      complain(position, `${whole}: the environment has no variable ${name}`);
      return whole;
    });
  }

  function complain(position: Position | null, message: string): null {
    report(position ?? start, message);
    return null;
  }

  return read(document.contents, [], null, false);
}

function lookUp(places: ReadonlyMap<string, Place>): Pick<ReadFile, 'has' | 'at' | 'atKey'> {
  const place = (path: Path) => places.get(JSON.stringify(path));
  const at = (path: Path): Position => {
    const found = place(path);
    if (found !== undefined) return found.value ?? found.key ?? start;
    if (path.length === 0) return start;
    // A missing key is blamed on the key of the mapping it should be in; an item of a value that is no list, on the value.
    const parent = path.slice(0, -1);
    const around = place(parent);
    if (around === undefined) return at(parent);
    return typeof path.at(-1) === 'number' ? at(parent) : (around.key ?? around.value ?? start);
  };
  return { has: (path) => places.has(JSON.stringify(path)), at, atKey: (path) => place(path)?.key ?? at(path) };
}
