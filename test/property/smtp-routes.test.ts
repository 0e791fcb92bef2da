import type { SmtpRoute, SmtpRoutes } from '@callahead/core';
import test from 'ava';
import fc from 'fast-check';
import { findRoute } from '../../packages/routing/src/smtp-routes.ts';

const label = fc.constantFrom('a', 'b', 'ab', 'example', 'com');
const domain = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.'));
const entry = fc.oneof(
  domain,
  domain.map((name) => `.${name}`),
  fc.constant('ALL'),
);

function routeTo(name: string): SmtpRoute {
  return { kind: 'hosts', hops: [{ name, port: null, portFrom: 'default', lookup: 'mx' }] };
}

function tableOf(entries: readonly string[]): SmtpRoutes {
  return new Map(entries.map((each) => [each, routeTo(`to-${each}`)]));
}

/** SPEC 5.4 word for word: of all entries that match, the exact one, else the longest, and ALL only where there is no other. */
function walk(entries: readonly string[], host: string): string | null {
  const matching = entries.filter(
    (each) => each === host || each === 'ALL' || (each.startsWith('.') && host.endsWith(each)),
  );
  const rank = (each: string): number => {
    if (each === host) return Number.POSITIVE_INFINITY;
    return each === 'ALL' ? 0 : each.length;
  };
  return matching.toSorted((a, b) => rank(b) - rank(a))[0] ?? null;
}

test('the table finds the entry that a walk over all entries finds', (t) => {
  fc.assert(
    fc.property(fc.uniqueArray(entry, { maxLength: 12 }), domain, (entries, host) => {
      t.is(findRoute(tableOf(entries), host)?.entry ?? null, walk(entries, host));
    }),
    { numRuns: 5_000 },
  );
});

test('the order in which a table is written changes nothing', (t) => {
  const permuted = fc
    .uniqueArray(entry, { minLength: 1, maxLength: 10 })
    .chain((entries) => fc.tuple(fc.constant(entries), fc.shuffledSubarray(entries, { minLength: entries.length })));
  fc.assert(
    fc.property(permuted, domain, ([entries, other], host) => {
      t.deepEqual(findRoute(tableOf(other), host), findRoute(tableOf(entries), host));
    }),
    { numRuns: 3_000 },
  );
});

test('an entry for sub-domains is never for its own domain', (t) => {
  fc.assert(
    fc.property(domain, label, (name, below) => {
      const table = tableOf([`.${name}`]);
      t.is(findRoute(table, name), null);
      t.is(findRoute(table, `${below}.${name}`)?.entry, `.${name}`);
    }),
  );
});
