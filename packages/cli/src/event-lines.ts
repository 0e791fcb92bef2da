/** Events as lines of JSON. Tens of thousands a second are written, and most fields of one hold what they held in the one before it. */
import type { Event } from '@callahead/core';
import { visibleJson } from './visible.ts';

/** One field of the last event of its name, as it was written. */
type Written = { name: string; value: unknown; text: string };

/** Writes the fields of events, with their comma each: `,"event":"session.opened","session":…`. Nothing unseen gets out (SPEC 9.4). */
export function createFieldWriter(): (event: Event) => string {
  const last = new Map<string, Written[]>();

  return (event) => {
    const fields = last.get(event.event) ?? [];
    last.set(event.event, fields);
    let text = '';
    let at = 0;
    for (const name in event) {
      const value = (event as Readonly<Record<string, unknown>>)[name];
      const field = fields[at++] ?? added(fields);
      // What is no primitive may have changed within.
      if (field.name !== name || field.value !== value || typeof value === 'object') write(field, name, value);
      text += field.text;
    }
    return text;
  };
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
