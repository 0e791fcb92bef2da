/** Events as lines of JSON. Tens of thousands a second are written, and most fields of one hold what they held in the one before it. */
import type { Event } from '@callahead/core';
import { visibleJson } from './visible.ts';

/** One field of the last event of its name, as it was written. */
type Written = { name: string; value: unknown; text: string };

/** The last event of one name. `head` is the text of the fields before `from`, which have long been the same, and `tail` that of those from `to` on. */
type Last = { readonly fields: Written[]; count: number; from: number; to: number; head: string; tail: string };

/** Writes the fields of events, with their comma each: `,"event":"session.opened","session":…`. Nothing unseen gets out (SPEC 9.4). */
export function createFieldWriter(): (event: Event) => string {
  const lasts = new Map<string, Last>();

  return (event) => {
    let last = lasts.get(event.event);
    if (last === undefined) {
      last = { fields: [], count: 0, from: 0, to: 0, head: '', tail: '' };
      lasts.set(event.event, last);
    }
    take(event, last);
    let text = last.head;
    for (let at = last.from; at < last.to; at++) text += last.fields[at]?.text;
    return text + last.tail;
  };
}

/** Writes the fields that are not what they were, and joins the others anew where other ones are the same. */
function take(event: Event, last: Last): void {
  const { fields } = last;
  let count = 0;
  let first = Number.POSITIVE_INFINITY;
  let end = 0;
  for (const name in event) {
    const value = (event as Readonly<Record<string, unknown>>)[name];
    const field = fields[count] ?? added(fields);
    // What is no primitive may have changed within.
    const isSame = field.name === name && field.value === value && typeof value !== 'object';
    if (!isSame) {
      write(field, name, value);
      first = Math.min(first, count);
      end = count + 1;
    }
    count++;
  }
  const from = Math.min(first, count);
  if (from === last.from && end <= last.to && count === last.count) return;
  const to = Math.max(from, end);
  Object.assign(last, { count, from, to, head: join(fields, 0, from), tail: join(fields, to, count) });
}

/** In one piece: a text that is made of others is put together each time it is written. */
function join(fields: readonly Written[], from: number, to: number): string {
  return fields
    .slice(from, to)
    .map(({ text }) => text)
    .join('');
}

function added(fields: Written[]): Written {
  const field = { name: '', value: undefined, text: '' };
  fields.push(field);
  return field;
}

function write(field: Written, name: string, value: unknown): void {
  field.name = name;
  field.value = value;
  field.text = value === undefined ? '' : `,"${name}":${printed(value)}`;
}

/** JSON of one value. */
export function printed(value: unknown): string {
  if (typeof value === 'string' && PLAIN.test(value)) return `"${value}"`;
  return visibleJson(JSON.stringify(value));
}

/** JSON writes it as it is. */
const PLAIN = /^[ !#-[\]-~]*$/;
