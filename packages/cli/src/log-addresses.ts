import { createHmac } from 'node:crypto';
import { EVENTS, type Event, type FieldKind } from '@callahead/core';

/** Makes an event fit to be read by those who may not know whose mail it is about. */
export type Hide = (event: Event) => Event;

/** What looks like a mail address in a text: a quoted local part or a word, `@`, a domain or a literal. `%40` is an `@` in the path of a request. */
const ADDRESS = /(?:"(?:[^"\\]|\\.)*"|[^\s"<>()[\],;:\\@=?&]+)(?:@|%40)(?:\[[^\]\s]*\]|[^\s"<>()[\],;:\\@'=?&]+)/gi;
/** What stands behind the last `@`, where it is no more than a domain or a literal. */
const DOMAIN = /@[\p{L}\p{M}\p{N}._:[\]-]+$/u;
const HEX_DIGITS = 16;
const SHORTEST_NAME = 3;

/**
 * Every address of an event as `h:HASH@DOMAIN`: HMAC-SHA256 with `key` over the address in lower case, 16 hex digits. A colon stands in no address that is not quoted, so a hash is never taken for one.
 * The domain stays: it is what routes, servers and access entries are found by.
 */
export function createHide(key: string): Hide {
  function hash(address: string): string {
    const domain = DOMAIN.exec(address)?.[0] ?? '';
    const digest = createHmac('sha256', key).update(address.toLowerCase()).digest('hex').slice(0, HEX_DIGITS);
    return `h:${digest}${domain}`;
  }

  function scrub(text: string): string {
    return text.replace(ADDRESS, (found) => hash(found.replace(/%40/i, '@')));
  }

  /** A server may name the recipient by its local part alone. What stands before the text of a reply is its code. */
  function scrubLine(line: string, recipient: string): string {
    const name = recipient.slice(0, recipient.lastIndexOf('@'));
    const scrubbed = scrub(line);
    if (name.length < SHORTEST_NAME || !scrubbed.startsWith('S: ')) return scrubbed;
    const text = scrubbed.slice(7).replace(wordOf(name), hash(recipient).replace(/@.*/s, ''));
    return `${scrubbed.slice(0, 7)}${text}`;
  }

  function hide(value: unknown, kind: FieldKind, recipient: string): unknown {
    switch (kind) {
      case 'plain':
        return value;
      case 'address':
        return value === '' ? value : hash(String(value));
      case 'text':
        return scrub(String(value));
      case 'addresses':
        return (value as readonly string[]).map(hash);
      case 'lines':
        return (value as readonly string[]).map((line) => scrubLine(line, recipient));
    }
  }

  return (event) => {
    const fields: Readonly<Record<string, FieldKind>> = EVENTS[event.event].fields;
    const recipient = event.event === 'probe.dialogue' ? event.recipient : '';
    const hidden = Object.entries(event).map(([field, value]) => [
      field,
      hide(value, fields[field] ?? 'plain', recipient),
    ]);
    return Object.fromEntries(hidden) as Event;
  };
}

/** Not within a longer word, nor in a hash. */
function wordOf(name: string): RegExp {
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`(?<![\\w.:@])${escaped}(?![\\w@])`, 'gi');
}
