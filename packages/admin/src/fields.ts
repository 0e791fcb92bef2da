/** Reads the fields of a request, each with what is said where it is wrong. */
import { isIP } from 'node:net';
import { type Flush, parseRecipient, type Recipient } from '@callahead/core';
import { Problem, wrong } from './problem.ts';

export type Fields = Readonly<Record<string, unknown>>;

const ADDRESS = 'an address, user@domain';

/** The body or the query, with no other fields than these. */
export function fieldsOf(input: unknown, known: readonly string[]): Fields {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    throw new Problem(
      'bad-request',
      `the body is no object: expected ${known.length === 0 ? '{}' : `one with ${known.join(', ')}`}`,
    );
  const fields = input as Fields;
  const unknown = Object.keys(fields).find((key) => !known.includes(key));
  if (unknown !== undefined)
    throw wrong(unknown, fields[unknown], known.length === 0 ? 'no field' : `no other field than ${known.join(', ')}`);
  return fields;
}

export function recipientIn(fields: Fields): Recipient {
  const text = textIn(fields, 'recipient', ADDRESS);
  const parsed = text === null ? null : parseRecipient(text, { smtpUtf8: true });
  if (parsed?.kind !== 'ok') throw wrong('recipient', fields.recipient, ADDRESS);
  return parsed.recipient;
}

/** null: left out. */
export function textIn(fields: Fields, field: string, expected: string): string | null {
  const value = fields[field];
  if (value === undefined) return null;
  if (typeof value !== 'string' || value === '' || value.length > 1_000) throw wrong(field, value, expected);
  return value;
}

export function flagIn(fields: Fields, field: string): boolean {
  const value = fields[field];
  if (value === undefined) return false;
  if (typeof value !== 'boolean') throw wrong(field, value, 'true or false');
  return value;
}

export function clientIn(fields: Fields): string | null {
  const text = textIn(fields, 'client', 'an IP address');
  if (text !== null && isIP(text) === 0) throw wrong('client', text, 'an IP address');
  return text;
}

/** A number of the query. */
export function countIn(fields: Fields, field: string, byDefault: number, from: number, to: number): number {
  const value = fields[field];
  if (value === undefined) return byDefault;
  const count = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
  if (!(count >= from && count <= to)) throw wrong(field, value, `a number from ${from} to ${to}`);
  return count;
}

/** The one of those names, or what `all` of them are. */
export function nameIn<Thing extends Readonly<{ name: string }>>(
  fields: Fields,
  field: string,
  all: readonly Thing[],
): Thing | null {
  const names = all.map(({ name }) => name).join(', ');
  const text = textIn(fields, field, `one of ${names}`);
  if (text === null) return null;
  const found = all.find(({ name }) => name === text);
  if (found === undefined) throw wrong(field, text, `one of ${names}`);
  return found;
}

const FLUSHES = ['recipient', 'domain', 'server', 'negative', 'all'] as const;

/** Exactly one of them (SPEC 10.4). */
export function flushIn(input: unknown): Flush {
  const fields = fieldsOf(input, FLUSHES);
  const given = FLUSHES.filter((field) => fields[field] !== undefined);
  const [kind] = given;
  if (kind === undefined || given.length > 1)
    throw new Problem(
      'bad-request',
      `the body has ${given.length} of them: expected exactly one of ${FLUSHES.join(', ')}`,
    );
  switch (kind) {
    case 'recipient':
      return { kind, value: recipientIn(fields).address };
    case 'domain':
    case 'server': {
      const expected = kind === 'domain' ? 'a domain' : 'host:port or unix:/path';
      const value = textIn(fields, kind, expected);
      if (value === null) throw wrong(kind, fields[kind], expected);
      return { kind, value: kind === 'domain' ? domainOf(value) : value };
    }
    case 'negative':
    case 'all':
      if (fields[kind] !== true) throw wrong(kind, fields[kind], 'true');
      return { kind };
  }
}

/** In canonical form, as it stands behind the @ of a recipient. */
function domainOf(text: string): string {
  const parsed = parseRecipient(`postmaster@${text}`, { smtpUtf8: true });
  if (parsed.kind !== 'ok') throw wrong('domain', text, 'a domain');
  return parsed.recipient.domain;
}
