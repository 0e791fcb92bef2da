import { z } from 'zod';
import { fault, type Parsed, show, value } from './parsed.ts';
import { parseDuration, parseSize } from './units.ts';

/** Why zod refused something, with what was expected in its place: `30 is too small: expected 60..86400 seconds`. */
export function expecting(expected: string) {
  return {
    error: (issue: Readonly<{ code?: string | undefined; input?: unknown }>) => {
      if (issue.code === 'unrecognized_keys') return undefined;
      if (issue.input === undefined) return `missing: expected ${expected}`;
      if (issue.code === 'too_small') return `${show(issue.input)} is too small: expected ${expected}`;
      if (issue.code === 'too_big') return `${show(issue.input)} is too large: expected ${expected}`;
      return `${show(issue.input)} is not right: expected ${expected}`;
    },
  };
}

/** What the schema and the reference page say of a key: one sentence, and in words what its value may be. */
export function about(expected: string, sentence: string) {
  return { description: sentence, 'x-expected': expected };
}

/** A mapping with exactly these keys. A key without a value is a key left out. */
export function section<Shape extends z.core.$ZodLooseShape>(shape: Shape, sentence: string) {
  const expected = 'keys and values';
  return z.preprocess(withoutNulls, z.strictObject(shape, expecting(expected))).meta(about(expected, sentence));
}

/** A mapping from names that the operator chooses. */
export function named<Element extends z.core.SomeType>(element: Element, sentence: string) {
  const expected = 'names and what each stands for';
  const name = z
    .string()
    .regex(/^[A-Za-z\d][\w.-]{0,63}$/, expecting('a name of at most 64 letters, digits, ".", "_" and "-"'));
  return z
    .preprocess((input) => input ?? {}, z.record(name, element, expecting(expected)))
    .prefault({})
    .meta(about(expected, sentence));
}

export function flag(byDefault: boolean, sentence: string) {
  return z.boolean(expecting('true or false')).prefault(byDefault).meta(about('true or false', sentence));
}

export function choice<const Words extends readonly [string, ...string[]]>(words: Words, sentence: string) {
  const expected = either(words);
  return z.enum(words, expecting(expected)).meta(about(expected, sentence));
}

/** A whole number. */
export function count(byDefault: number, from: number, to: number, sentence: string) {
  const expected = `${from}..${to}`;
  const problem = expecting(expected);
  return z.int(problem).min(from, problem).max(to, problem).prefault(byDefault).meta(about(expected, sentence));
}

/** A whole number, or `unlimited`, which is read as null. */
export function limit(byDefault: number | 'unlimited', from: number, to: number, sentence: string) {
  const expected = `${from}..${to} or unlimited`;
  const problem = expecting(expected);
  const unlimited = z.literal('unlimited').transform(() => null);
  return z
    .union([z.int(problem).min(from, problem).max(to, problem), unlimited], problem)
    .prefault(byDefault)
    .meta(about(expected, sentence));
}

/** A duration, given as seconds or with a unit; read as milliseconds. `from` and `to` in seconds. */
export function duration(byDefault: string, from: number, to: number, sentence: string) {
  return amount({ byDefault, from, to, unit: 'seconds', factor: 1000, parse: parseDuration }, sentence);
}

/** A size, given in octets or with a unit; read as octets. */
export function size(byDefault: string, from: number, to: number, sentence: string) {
  return amount({ byDefault, from, to, unit: 'octets', factor: 1, parse: parseSize }, sentence);
}

/** A text that `parse` makes something of. */
export function text<T>(parse: (input: string) => Parsed<T>, expected: string, sentence: string) {
  return z
    .string(expecting(expected))
    .transform((input, context) => settle(parse(input), input, expected, context))
    .meta(about(expected, sentence));
}

/** A list, or one text in its place, which `split` may cut into several. */
export function list<Element extends z.core.SomeType>(
  element: Element,
  expected: string,
  sentence: string,
  split: (text: string) => readonly string[] = (text) => [text],
) {
  return z
    .preprocess((input) => (typeof input === 'string' ? split(input) : input), z.array(element, expecting(expected)))
    .meta({ ...about(expected, sentence), type: ['string', 'array'] });
}

/** `a, b or c`. */
export function either(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} or ${last}`;
}

/** The value that was parsed, or an issue that quotes the input. */
function settle<T>(parsed: Parsed<T>, input: unknown, expected: string, context: z.RefinementCtx): T {
  if (parsed.kind === 'value') return parsed.value;
  context.addIssue({ code: 'custom', input, message: `${show(input)} ${parsed.why}: expected ${expected}` });
  return z.NEVER;
}

type Amount = Readonly<{
  byDefault: string;
  from: number;
  to: number;
  unit: string;
  factor: number;
  parse: (input: number | string) => Parsed<number>;
}>;

function amount({ byDefault, from, to, unit, factor, parse }: Amount, sentence: string) {
  const expected = `${from}..${to} ${unit}`;
  const inRange = (input: number | string): Parsed<number> => {
    const parsed = parse(input);
    if (parsed.kind === 'fault') return parsed;
    if (parsed.value < from * factor) return fault('is too small');
    if (parsed.value > to * factor) return fault('is too large');
    return value(parsed.value);
  };
  return z
    .union([z.number(), z.string()], expecting(expected))
    .transform((input, context) => settle(inRange(input), input, expected, context))
    .prefault(byDefault)
    .meta({
      ...about(expected, sentence),
      anyOf: [{ type: 'number', minimum: from, maximum: to }, { type: 'string' }],
    });
}

function withoutNulls(input: unknown): unknown {
  if (input === null) return {};
  if (typeof input !== 'object' || Array.isArray(input)) return input;
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== null));
}
