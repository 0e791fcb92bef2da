import { fault, type Parsed, value } from './parsed.ts';

const msPerUnit = new Map([
  ['ms', 1],
  ['', 1000],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

/** Powers of 1024, as mail servers count sizes. */
const octetsPerUnit = new Map([
  ['', 1],
  ['b', 1],
  ['kb', 1024],
  ['mb', 1024 ** 2],
  ['gb', 1024 ** 3],
]);

/** A duration as an operator writes it, in milliseconds: `30s`, `15m`, `1h`, or a number of seconds. */
export function parseDuration(input: number | string): Parsed<number> {
  return parseAmount(input, msPerUnit, 'is not a duration');
}

/** A size as an operator writes it, in octets: `50MB`, or a number of octets. */
export function parseSize(input: number | string): Parsed<number> {
  return parseAmount(input, octetsPerUnit, 'is not a size');
}

function parseAmount(input: number | string, units: ReadonlyMap<string, number>, why: string): Parsed<number> {
  const match = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(String(input).trim());
  const factor = units.get((match?.[2] ?? '').toLowerCase());
  if (match === null || factor === undefined) return fault(why);
  return value(Math.round(Number(match[1]) * factor));
}
