import { compileRecipientAccess, fromCanonical, parseRecipient, parseSender } from '@callahead/core';
import test from 'ava';
import fc from 'fast-check';
import { accessPatterns, recipientOf } from '../support/recipients.ts';

const smtpUtf8 = fc.boolean();

/** Bits of addresses and of attacks, so that chance finds what is nearly an address. */
const bit = fc.constantFrom(
  ...[
    'a',
    'B',
    '7',
    '.',
    '..',
    '@',
    '"',
    '\\',
    ' ',
    '-',
    '_',
    '%',
    '!',
    '|',
    '/',
    ':',
    ',',
    '[',
    ']',
    '<',
    '>',
    '(',
    '+',
  ],
  ...[
    'xn--',
    'xn--bcher-kva',
    'xn--evilgood-rm3g',
    'ü',
    'u\u0308',
    'ß',
    'ſ',
    '例え',
    '。',
    '．',
    '＠',
    '😀',
    'א',
    'IPv6:',
    '::',
    '1.2.3.4',
  ],
  ...[
    '\0',
    '\r',
    '\n',
    '\r\n',
    '\t',
    '\x1b',
    '\x7f',
    '\x85',
    '\xa0',
    '\u200b',
    '\u200d',
    '\u2028',
    '\u202e',
    '\ufeff',
    '\ufffd',
    '\ud800',
  ],
  ...['postmaster', 'example.org', '@a.example:', '@example.org', '@example.org', '"@example.org'],
);
const hostile = fc.oneof(
  fc.array(bit, { maxLength: 10 }).map((bits) => bits.join('')),
  fc
    .tuple(fc.array(bit, { maxLength: 6 }), fc.array(bit, { maxLength: 4 }))
    .map(([l, d]) => `${l.join('')}@${d.join('')}`),
  fc.array(bit, { maxLength: 6 }).map((bits) => `"${bits.join('')}"@example.org`),
  fc.string({ unit: 'binary', maxLength: 40 }),
);

const atext = "abcxyzABCXYZ0189#$&'*+=?^_`{}~-";
const atom = fc.string({ unit: fc.constantFrom(...atext), minLength: 1, maxLength: 6 });
const dotString = fc.array(atom, { minLength: 1, maxLength: 4 }).map((atoms) => atoms.join('.'));
const quotable = fc.string({ unit: fc.constantFrom(...atext, ...' !"%(),./:;<>@[\\]|'), maxLength: 20 });
const label = fc
  .tuple(fc.constantFrom(...'abcxyzABC'), fc.string({ unit: fc.constantFrom(...'abzAB09-'), maxLength: 10 }))
  .map(([first, rest]) => `${first}${rest}0`.replace(/^xn--/i, 'x'));
const domain = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
const literal = fc.oneof(
  fc.ipV4().map((address) => `[${address}]`),
  fc.ipV6().map((address) => `[IPv6:${address}]`),
);

test('every dot-string in every domain is an address, as it was sent', (t) => {
  fc.assert(
    fc.property(dotString, domain, (local, at) => {
      t.is(recipientOf(`${local}@${at}`).address, `${local}@${at.toLowerCase()}`);
    }),
  );
});

test('every quoted string is an address, and however it was quoted it comes to the same', (t) => {
  fc.assert(
    fc.property(quotable, fc.array(fc.boolean(), { minLength: 20, maxLength: 20 }), domain, (content, more, at) => {
      const quoted = (all: boolean) =>
        [...content].map((c, i) => (c === '"' || c === '\\' || (all && more[i]) ? `\\${c}` : c)).join('');
      const one = recipientOf(`"${quoted(false)}"@${at}`);
      t.deepEqual(recipientOf(`"${quoted(true)}"@${at.toUpperCase()}.`), one);
      t.is(one.local.startsWith('"') ? one.local.slice(1, -1).replace(/\\(.)/g, '$1') : one.local, content);
    }),
  );
});

test('every address literal has one form', (t) => {
  fc.assert(
    fc.property(literal, (at) => {
      const one = recipientOf(`user@${at}`);
      t.deepEqual(recipientOf(`user@${at.toUpperCase()}`), one);
      t.deepEqual(recipientOf(one.address), one);
    }),
  );
});

test('a source route changes nothing', (t) => {
  fc.assert(
    fc.property(fc.array(domain, { minLength: 1, maxLength: 2 }), dotString, domain, (route, local, at) => {
      const routed = `${route.map((hop) => `@${hop}`).join(',')}:${local}@${at}`;
      t.deepEqual(recipientOf(routed), recipientOf(`${local}@${at}`));
    }),
  );
});

test('what is accepted is canonical: it parses to itself and takes apart as it was put together', (t) => {
  fc.assert(
    fc.property(hostile, smtpUtf8, (text, utf8) => {
      const parsed = parseRecipient(text, { smtpUtf8: utf8 });
      if (parsed.kind !== 'ok') return;
      t.deepEqual(parseRecipient(parsed.recipient.address, { smtpUtf8: utf8 }), parsed);
      t.deepEqual(fromCanonical(parsed.recipient.address), parsed.recipient);
    }),
    { numRuns: 20_000 },
  );
});

test('what is accepted as a sender is canonical too, and every recipient could be one', (t) => {
  fc.assert(
    fc.property(hostile, smtpUtf8, (text, utf8) => {
      const options = { smtpUtf8: utf8 };
      const sender = parseSender(text, options);
      if (sender.kind === 'ok') t.deepEqual(parseSender(sender.sender.address, options), sender);
      if (parseRecipient(text, options).kind === 'ok') t.is(sender.kind, 'ok');
    }),
    { numRuns: 5_000 },
  );
});

/** An address in RFC 5321's grammar, written down a second time: what a server may ever be sent between `<` and `>`. */
const GRAMMAR =
  /^(?:[A-Za-z0-9#$&'*+/=?^_`{}~.\u{a1}-\u{10ffff}-]+|"(?:[ !#-[\]-~\u{a1}-\u{10ffff}]|\\["\\])*")@(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[(?:IPv6:)?[0-9a-f.:]+\])$/u;

test('nothing but the grammar comes out, whatever goes in', (t) => {
  fc.assert(
    fc.property(hostile, smtpUtf8, (text, utf8) => {
      const parsed = parseRecipient(text, { smtpUtf8: utf8 });
      if (parsed.kind !== 'ok') return;
      const { address, local, domain } = parsed.recipient;
      t.regex(address, GRAMMAR);
      t.notRegex(address, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u00a0\u3000\ufffd]/u);
      t.is(address, `${local}@${domain}`);
      t.true(Buffer.byteLength(local) <= 64 && Buffer.byteLength(address) <= 254);
      t.is(parsed.recipient.utf8, Buffer.byteLength(local) !== local.length);
      if (!utf8) t.false(parsed.recipient.utf8);
    }),
    { numRuns: 20_000 },
  );
});

test('every refusal is a permanent reply whose classes agree, and says nothing of the input', (t) => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(hostile, smtpUtf8, (text, utf8) => {
      const parsed = parseRecipient(text, { smtpUtf8: utf8 });
      if (parsed.kind === 'bad') seen.add(`${parsed.reply.code} ${parsed.reply.enhanced} ${parsed.reply.text}`);
    }),
    { numRuns: 5_000 },
  );
  t.true(seen.size >= 3 && seen.size <= 4, [...seen].join('\n'));
  for (const reply of seen) t.regex(reply, /^5\d\d 5\.\d\.\d [ -~]+$/);
});

test('access decides alike on an address and on its canonical form', (t) => {
  const table = compileRecipientAccess([
    {
      action: 'accept',
      patterns: accessPatterns('a@example.org', '.example', 'b@'),
      bypassCallAhead: true,
      profile: null,
    },
    { action: 'accept', patterns: accessPatterns('example.org'), bypassCallAhead: false, profile: null },
  ]);
  fc.assert(
    fc.property(
      fc.constantFrom('a', 'b', '"a b"', '"a"', '"\\b"'),
      fc.constantFrom('EXAMPLE.org.', 'x.Example', 'y'),
      (local, at) => {
        const recipient = recipientOf(`${local}@${at}`);
        t.deepEqual(table.decide(recipient), table.decide(recipientOf(recipient.address)));
      },
    ),
  );
});
