import { parseLdapBase, parseLdapFilter, type Recipient } from '@callahead/core';
import test from 'ava';
import fc from 'fast-check';
import { FilterParser } from 'ldapts';

const RUNS = 2_000;

/** Local parts and domains made of what would break out of a filter or a name, and of tokens. Neither is ever empty: `(uid={u}*)` would become the other kind `(uid=*)`. */
const hostile = fc
  .array(
    fc.constantFrom(
      '*',
      '(',
      ')',
      '\\',
      '\0',
      '&',
      '|',
      '!',
      '=',
      ',',
      '+',
      '"',
      ';',
      '<',
      '>',
      '#',
      ' ',
      '{a}',
      '{d}',
      'é',
      '日',
      '💌',
      'x',
      '2a',
      '\\2a',
    ),
    { minLength: 1, maxLength: 12 },
  )
  .map((parts) => parts.join(''));

const recipients = fc
  .tuple(hostile, hostile)
  .map(([local, domain]): Recipient => ({ address: `${local}@${domain}`, local, domain, utf8: false }));

const attribute = fc.constantFrom('mail', 'uid', 'x-y2');
const literal = fc.array(fc.constantFrom('a', 'Z', '9', ' ', '@', '.', ':', '\\2a', '\\28', '\\5c', '\\7b', 'é'), {
  maxLength: 4,
});
const token = fc.constantFrom('{a}', '{u}', '{d}');
const value = fc
  .array(
    fc.oneof(
      literal.map((parts) => parts.join('')),
      token,
    ),
    { maxLength: 4 },
  )
  .map((parts) => parts.join(''));
const some = fc.tuple(token, value).map(([first, rest]) => `${first}${rest}`);

const leaf = fc.oneof(
  fc
    .tuple(attribute, fc.constantFrom('=', '>=', '<=', '~='), value)
    .map(([name, operator, text]) => `(${name}${operator}${text})`),
  fc.tuple(attribute, some, some).map(([name, initial, final]) => `(${name}=${initial}*${final})`),
  fc.tuple(attribute, some, some).map(([name, one, other]) => `(${name}=*${one}*${other}*)`),
  fc.tuple(attribute, value).map(([name, text]) => `(${name}:caseExactMatch:=${text})`),
  attribute.map((name) => `(${name}=*)`),
);

const { filter: filters } = fc.letrec<{ filter: string }>((tie) => ({
  filter: fc.oneof(
    { depthSize: 'small' },
    leaf,
    tie('filter').map((inner) => `(!${inner})`),
    fc
      .tuple(fc.constantFrom('&', '|'), fc.array(tie('filter'), { minLength: 1, maxLength: 3 }))
      .map(([operator, inner]) => `(${operator}${inner.join('')})`),
  ),
}));

/** The tree with tokens in its texts replaced: what a recipient may change, and nothing else. */
function replaced(tree: unknown, recipient: Recipient): unknown {
  if (typeof tree === 'string') {
    const { address: a, local: u, domain: d } = recipient;
    return tree.replace(/\{([aud])\}/g, (_, name: 'a' | 'u' | 'd') => ({ a, u, d })[name]);
  }
  if (Array.isArray(tree)) return tree.map((inner) => replaced(inner, recipient));
  if (typeof tree !== 'object' || tree === null) return tree;
  return Object.fromEntries(Object.entries(tree).map(([key, inner]) => [key, replaced(inner, recipient)]));
}

/** The tree that the client library makes of a filter, as plain data. */
function treeOf(filter: string): unknown {
  return JSON.parse(JSON.stringify(FilterParser.parseString(filter)));
}

test('the tree of a filter with a recipient is the tree of its template with the tokens in its leaves replaced', (t) => {
  fc.assert(
    fc.property(filters, recipients, (text, recipient) => {
      const parsed = parseLdapFilter(text);
      if (parsed.kind === 'bad') throw new Error(`${text} ${parsed.why}`);
      t.deepEqual(treeOf(parsed.template.render(recipient)), replaced(treeOf(text), recipient));
    }),
    { numRuns: RUNS },
  );
});

type Part = Readonly<{ name: string; value: string }>;

/** A distinguished name taken apart by the rules of RFC 4514 §3, in a way of its own. */
function partsOf(name: string): readonly Part[] {
  const parts: Part[] = [];
  let current = '';
  const close = (): void => {
    const equals = current.indexOf('=');
    parts.push({ name: current.slice(0, equals), value: current.slice(equals + 1) });
    current = '';
  };
  for (let i = 0; i < name.length; i++) {
    const pair = /^\\([\da-f]{2})/i.exec(name.slice(i));
    if (pair !== null) {
      current += String.fromCharCode(Number.parseInt(pair[1] ?? '', 16));
      i += 2;
    } else if (name[i] === ',' || name[i] === '+') close();
    else current += name[i];
  }
  close();
  return parts;
}

test('the parts of a name with a recipient are the parts of its template with the tokens in its values replaced', (t) => {
  const names = fc
    .array(fc.tuple(attribute, fc.oneof(some, fc.constantFrom('example', 'a\\2cb'))), { minLength: 1, maxLength: 4 })
    .map((pairs) =>
      pairs.map(([name, text]) => `${name}=${text.replaceAll('é', 'e').replaceAll('\\5c', '')}`).join(','),
    );
  fc.assert(
    fc.property(names, recipients, (text, recipient) => {
      const parsed = parseLdapBase(text);
      if (parsed.kind === 'bad') throw new Error(`${text} ${parsed.why}`);
      t.deepEqual(partsOf(parsed.template.render(recipient)), replaced(partsOf(text), recipient));
    }),
    { numRuns: RUNS },
  );
});
