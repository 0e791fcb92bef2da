/** The verdict cache beside a table without bounds and tricks, on a clock of their own. */
import type { Flush, Probe, Verdict } from '@callahead/core';
import test from 'ava';
import fc from 'fast-check';
import { createCache } from '../../packages/workers/src/cache.ts';
import { probeOf } from '../support/fake-main.ts';

const DESTINATIONS = ['corp a:25', 'corp b:25', 'corp a:25,b:25'];
const MAILBOXES = ['ann@x.example', 'Ann@x.example', 'bob@x.example', 'ann@y.example', '"a b"@x.example'];
const SERVERS = ['a:25', 'b:25'];
const TTL: Record<string, number> = { valid: 1000, unknown: 300, refused: 70 };
const STALE_MS = 400;

type Known = Readonly<{ destination: string; mailbox: string; verdict: Verdict; atMs: number }>;

const verdicts: fc.Arbitrary<Verdict> = fc
  .record({
    kind: fc.constantFrom('valid', 'unknown', 'refused', 'temporary', 'failed'),
    server: fc.constantFrom(...SERVERS),
    text: fc.constantFrom('No', '<ann@x.example>: no', 'ann@x.example ann@y.example'),
  })
  .map(({ kind, server, text }): Verdict => {
    if (kind === 'valid') return { kind, source: 'server', server };
    if (kind === 'failed') return { kind, source: 'server', server, cause: 'timeout', detail: '', ref: '' };
    return { kind, source: 'server', server, reply: { code: 550, enhanced: null, text }, ref: 'r' };
  });

const flushes: fc.Arbitrary<Flush> = fc.oneof(
  fc.constantFrom(...MAILBOXES).map((value) => ({ kind: 'recipient', value }) as const),
  fc.constantFrom('x.example', 'y.example').map((value) => ({ kind: 'domain', value }) as const),
  fc.constantFrom(...SERVERS).map((value) => ({ kind: 'server', value }) as const),
  fc.constantFrom({ kind: 'negative' } as const, { kind: 'all' } as const),
);

const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('put' as const),
        d: fc.constantFrom(...DESTINATIONS),
        m: fc.constantFrom(...MAILBOXES),
        verdict: verdicts,
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 69, 299, 400, 999) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('flush' as const), what: flushes }) },
  ),
  { maxLength: 40 },
);

test('the cache says what a plain table says, for each destination and mailbox at any time', async (t) => {
  await t.notThrowsAsync(
    fc.assert(
      fc.asyncProperty(steps, fc.boolean(), async (plan, foldLocalPart) => {
        const probe = probeOf({
          cacheTtlMs: 1000,
          negativeCacheTtlMs: 300,
          refusedCacheTtlMs: 70,
          staleIfErrorMs: STALE_MS,
          foldLocalPart,
        });
        let nowMs = 0;
        const cache = createCache({
          profile: 'corp',
          probe: { ...probe, cacheSize: 1000 },
          threads: 1,
          now: () => nowMs,
        });
        let table: Known[] = [];
        for (const step of plan) {
          if (step.do === 'pass') nowMs += step.ms;
          if (step.do === 'put') {
            cache.put(step.d, step.m, step.verdict, probe);
            table = putInto(table, {
              destination: step.d,
              mailbox: folded(step.m, probe),
              verdict: step.verdict,
              atMs: nowMs,
            });
          }
          if (step.do === 'flush') {
            await cache.flush(step.what);
            table = table.filter((known) => !isFlushed(step.what, known));
          }
          for (const d of DESTINATIONS) for (const m of MAILBOXES) compare(d, m);
        }

        function compare(destination: string, recipient: string): void {
          const known = table.find(
            (one) => one.destination === destination && one.mailbox === folded(recipient, probe),
          );
          const leftMs =
            known === undefined ? Number.NEGATIVE_INFINITY : known.atMs + (TTL[known.verdict.kind] ?? 0) - nowMs;
          const verdict = known === undefined ? null : { ...known.verdict, source: 'cache' };
          const isStale = known?.verdict.kind === 'valid' && leftMs > -STALE_MS;
          same(cache.stale(destination, recipient, probe), isStale ? verdict : null);
          same(cache.get(destination, recipient, probe)?.verdict ?? null, leftMs > 0 ? verdict : null);
        }
      }),
      { numRuns: 300 },
    ),
  );
});

test('a cache never holds more than its share, and no flood of noes takes a yes', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(500), verdicts), { maxLength: 400 }),
        fc.integer({ min: 1, max: 4 }),
        (puts, threads) => {
          const probe = probeOf({ refusedCacheTtlMs: 70 });
          const cache = createCache({ profile: 'corp', probe: { ...probe, cacheSize: 100 }, threads, now: () => 0 });
          cache.put('d', 'ann@x.example', { kind: 'valid', source: 'server', server: 'a:25' }, probe);
          for (const [i, verdict] of puts) {
            if (verdict.kind !== 'valid') cache.put('d', `user${i}@x.example`, verdict, probe);
          }
          const { positive, negative } = cache.counts();
          same(positive, 1);
          if (negative > Math.floor(100 / threads / 2)) throw new Error(`${negative} noes`);
        },
      ),
    ),
  );
});

function folded(recipient: string, probe: Probe): string {
  return probe.foldLocalPart ? recipient.toLowerCase() : recipient;
}

function putInto(table: readonly Known[], known: Known): Known[] {
  const { kind } = known.verdict;
  if (kind === 'temporary' || kind === 'failed') return [...table];
  return [...table.filter((one) => one.destination !== known.destination || one.mailbox !== known.mailbox), known];
}

function isFlushed(what: Flush, { mailbox, verdict }: Known): boolean {
  if (what.kind === 'recipient') return mailbox.toLowerCase() === what.value.toLowerCase();
  if (what.kind === 'domain') return mailbox.endsWith(`@${what.value}`);
  if (what.kind === 'server') return verdict.server === what.value;
  return what.kind === 'all' || verdict.kind !== 'valid';
}

function same(actual: unknown, expected: unknown): void {
  const [a, b] = [actual, expected].map((one) =>
    JSON.stringify(
      one,
      Object.keys(Object(one ?? {}))
        .concat('code', 'enhanced', 'text')
        .sort(),
    ),
  );
  if (a !== b) throw new Error(`${a} is not ${b}`);
}
