import { createHmac } from 'node:crypto';
import { EVENTS, type Event, type FieldKind } from '@callahead/core';

/** Makes what is logged fit to be read by those who may not know whose mail it is about. */
export type Hide = Readonly<{
  event(event: Event): Event;
  /** Words of anybody's, in which addresses may stand. */
  text(words: string): string;
}>;

/**
 * What looks like a mail address in a text: a hash of one, which stays; what stands between angles, or a quoted local part or a word, `@`, a domain or a literal. `%40` is an `@` in the
 * path of a request. No address is longer than 320 octets, and no text may take long.
 */
const ADDRESS =
  /h:[\da-f]{16}@|(?<=<)[^<>\s]+@[^<>\s]+(?=>)|(?:"(?:[^"\\]|\\.)*"|[^\s"<>()[\],;:\\@]{1,320}?)(?:@|%40)(?:\[[^\]\s]*\]|[^\s"<>()[\],;:\\@'=?&]+)/gi;
/** What is no part of it: the path of a request and the name of a parameter, or of an attribute. An address with a `=` of its own is hidden whole. */
const NAME = /^(?:(?:\/[^?]*\?|&)(?:[^&]*&)*)?[a-z]+=(?=[^=]+$)/i;
/** What stands behind the last `@`, where it is no more than a domain or a literal. */
const DOMAIN = /@[\p{L}\p{M}\p{N}._:[\]-]+$/u;
/** The code of a reply, which stands before its text. */
const CODE = /^(?:S: )?\d{3}(?=[ -])/;
const HEX_DIGITS = 16;
const SHORTEST_NAME = 3;

/**
 * Every address as `h:HASH@DOMAIN`: HMAC-SHA256 with `key` over the address in lower case, 16 hex digits. A colon stands in no address that is not quoted, so a hash is never taken for one.
 * The domain stays: it is what routes, servers and access entries are found by.
 */
export function createHide(key: string): Hide {
  function hash(address: string): string {
    const domain = DOMAIN.exec(address)?.[0] ?? '';
    const digest = createHmac('sha256', key).update(address.toLowerCase()).digest('hex').slice(0, HEX_DIGITS);
    return `h:${digest}${domain}`;
  }

  function text(words: string): string {
    return words.replace(ADDRESS, (found, at: number) => {
      if (found.startsWith('h:')) return found;
      const [name = ''] = words[at - 1] === '<' ? [] : (NAME.exec(found) ?? []);
      return `${name}${hash(found.slice(name.length).replace(/%40/i, '@'))}`;
    });
  }

  /** What a server says of a recipient may have it as it was written, or its local part alone. */
  function textAbout(words: string, recipient: string): string {
    const hidden = hash(recipient);
    const scrubbed = text(words.replaceAll(recipient, hidden));
    const name = recipient.slice(0, recipient.lastIndexOf('@'));
    const [code = null] = CODE.exec(scrubbed) ?? [];
    if (name.length < SHORTEST_NAME || code === null) return scrubbed;
    return `${code}${scrubbed.slice(code.length).replace(wordOf(name), hidden.replace(/@.*/s, ''))}`;
  }

  function hide(value: unknown, kind: FieldKind, scrub: (words: string) => string): unknown {
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
        return (value as readonly string[]).map(scrub);
    }
  }

  return {
    event(event) {
      const fields: Readonly<Record<string, FieldKind>> = EVENTS[event.event].fields;
      const scrub = 'recipient' in event ? (words: string) => textAbout(words, event.recipient) : text;
      const hidden = Object.entries(event).map(([field, value]) => [
        field,
        hide(value, fields[field] ?? 'plain', scrub),
      ]);
      return Object.fromEntries(hidden) as Event;
    },
    text,
  };
}

/** Not within a longer word, nor in a hash. */
function wordOf(name: string): RegExp {
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`(?<![\\w.:@])${escaped}(?![\\w@])`, 'gi');
}
