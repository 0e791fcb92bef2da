import { type AccessEntry, type AccessPattern, compileRecipientAccess, type Recipient } from '@callahead/core';
import test from 'ava';
import fc from 'fast-check';
import { accessPatterns, recipientOf } from '../support/recipients.ts';

const local = fc.constantFrom('a', 'A', 'b', '"a b"', '"A B"', 'ü', 'Ü', 'u\u0308');
const domain = fc.constantFrom('x', 'y.x', 'Z.y.x', 'w.z.y.x', 'ü.x', 'xn--tda.x', '[192.0.2.1]', '[192.0.2.2]');
const named = domain.filter((d) => !d.startsWith('['));
const pattern = fc.oneof(
  fc.constant('ALL'),
  named,
  named.map((d) => `.${d}`),
  local.map((l) => `${l}@`),
  fc.tuple(local, domain).map(([l, d]) => `${l}@${d}`),
);
const patterns = fc.array(pattern, { minLength: 1, maxLength: 4 }).map((texts) => accessPatterns(...texts));
const entry: fc.Arbitrary<AccessEntry> = fc.oneof(
  fc.record({
    action: fc.constant('accept' as const),
    patterns,
    bypassCallAhead: fc.boolean(),
    profile: fc.constant(null),
  }),
  fc.record({ action: fc.constant('reject' as const), patterns, reply: fc.constant(null) }),
);
const recipient = fc.tuple(local, domain).map(([l, d]) => recipientOf(`${l}@${d}`));

function fold(text: string): string {
  return text.normalize('NFC').toLowerCase();
}

/** SPEC 6.1 word for word: walk the table, take the first that matches. */
function walk(entries: readonly AccessEntry[], at: Recipient): { text: string; entry: AccessEntry } | null {
  for (const entry of entries) {
    for (const pattern of entry.patterns) if (matches(pattern, at, entries)) return { text: pattern.text, entry };
  }
  return null;
}

function matches(pattern: AccessPattern, at: Recipient, entries: readonly AccessEntry[]): boolean {
  switch (pattern.kind) {
    case 'all':
      return true;
    case 'address':
      return fold(pattern.local) === fold(at.local) && pattern.domain === at.domain;
    case 'domain':
      return pattern.domain === at.domain;
    case 'subdomains':
      return at.domain.endsWith(`.${pattern.domain}`);
    case 'user':
      return (
        fold(pattern.local) === fold(at.local) && entries.some((e) => e.action === 'accept' && names(e, at.domain))
      );
  }
}

function names(entry: AccessEntry, domain: string): boolean {
  if (domain.startsWith('[')) return false;
  return entry.patterns.some((p) => {
    if (p.kind === 'subdomains') return domain.endsWith(`.${p.domain}`);
    return (p.kind === 'domain' || p.kind === 'address') && p.domain === domain;
  });
}

test('the compiled table decides as a walk over the entries does', (t) => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 8 }), recipient, (entries, at) => {
      const decision = compileRecipientAccess(entries).decide(at);
      const first = walk(entries, at);
      t.is(decision.entry, first?.text ?? '');
      t.is(decision.kind, first?.entry.action ?? 'reject');
      if (decision.kind === 'accept')
        t.is(decision.bypassCallAhead, first?.entry.action === 'accept' && first.entry.bypassCallAhead);
    }),
    { numRuns: 3_000 },
  );
});
