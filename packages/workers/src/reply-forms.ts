/**
 * What servers say to many: most of them say the same to everybody, but for the address in it. A cache keeps the form once for all who got it, which
 * is a third of what an entry would take otherwise.
 */
import type { Reply } from '@callahead/core';
import { LRUCache } from 'lru-cache';

/** Stands for the address. The text of a reply is printable ASCII, so it never has one. */
const ADDRESS = '\0';
/** A server that says something else to everybody needs no more; what is forgotten here is still with the entries that have it. */
const MOST_FORMS = 500;

export type ReplyForms = Readonly<{
  /** The form of a reply about this address, shared with all that are alike. */
  of(reply: Reply, address: string): Reply;
  /** The reply again. */
  fill(form: Reply, address: string): Reply;
}>;

export function createReplyForms(): ReplyForms {
  const forms = new LRUCache<string, Reply>({ max: MOST_FORMS });

  function of({ code, enhanced, text }: Reply, address: string): Reply {
    const form = { code, enhanced, text: text.replaceAll(address, ADDRESS) };
    const key = `${code} ${enhanced} ${form.text}`;
    const known = forms.get(key);
    if (known !== undefined) return known;
    forms.set(key, form);
    return form;
  }

  return {
    of,
    fill: (form, address) =>
      form.text.includes(ADDRESS) ? { ...form, text: form.text.replaceAll(ADDRESS, () => address) } : form,
  };
}
