import type { Verdict } from '@callahead/core';
import test from 'ava';
import { createCache } from '../../packages/workers/src/cache.ts';
import { probeOf } from '../support/fake-main.ts';

const probe = probeOf({ cacheTtlMs: 1000, negativeCacheTtlMs: 300 });
const valid: Verdict = { kind: 'valid', source: 'server', server: 'mx.example:25' };
const reply = { code: 550, enhanced: '5.1.1', text: 'No such user' };
const unknown: Verdict = { kind: 'unknown', source: 'server', server: 'mx.example:25', reply, ref: 'abc' };
const refused: Verdict = { ...unknown, kind: 'refused' };
const temporary: Verdict = { ...unknown, kind: 'temporary' };

function begin(cacheSize = 100, threads = 1) {
  const clock = { ms: 0 };
  return {
    clock,
    cache: createCache({ profile: 'corp', probe: { ...probe, cacheSize }, threads, now: () => clock.ms }),
  };
}

test('an entry is served until its time is over, to the millisecond', (t) => {
  const { cache, clock } = begin();
  cache.put('d', 'ann@corp.example', valid, probe);
  cache.put('d', 'bob@corp.example', unknown, probe);
  clock.ms = 299;
  t.like(cache.get('d', 'bob@corp.example', probe), { verdict: { kind: 'unknown', source: 'cache', ref: 'abc' } });
  clock.ms = 300;
  t.is(cache.get('d', 'bob@corp.example', probe), null);
  clock.ms = 999;
  t.like(cache.get('d', 'ann@corp.example', probe), { verdict: { kind: 'valid', source: 'cache' } });
  clock.ms = 1000;
  t.is(cache.get('d', 'ann@corp.example', probe), null);
  t.deepEqual(cache.counts(), { positive: 0, negative: 0 });
});

test('a temporary or failed verdict is never kept and does not displace a positive', (t) => {
  const { cache } = begin();
  cache.put('d', 'ann@corp.example', valid, probe);
  cache.put('d', 'ann@corp.example', temporary, probe);
  cache.put('d', 'ann@corp.example', { ...unknown, kind: 'failed', cause: 'timeout', detail: '' }, probe);
  t.is(cache.get('d', 'ann@corp.example', probe)?.verdict.kind, 'valid');
});

test('a refusal is kept only where the profile wants it', (t) => {
  const { cache } = begin();
  cache.put('d', 'ann@corp.example', refused, probe);
  t.is(cache.get('d', 'ann@corp.example', probe), null);
  const keeping = probeOf({ refusedCacheTtlMs: 50 });
  cache.put('d', 'ann@corp.example', refused, keeping);
  t.is(cache.get('d', 'ann@corp.example', keeping)?.verdict.kind, 'refused');
});

test('a newer verdict of the other kind takes the place of the older one', (t) => {
  const { cache } = begin();
  cache.put('d', 'ann@corp.example', valid, probe);
  cache.put('d', 'ann@corp.example', unknown, probe);
  t.is(cache.get('d', 'ann@corp.example', probe)?.verdict.kind, 'unknown');
  cache.put('d', 'ann@corp.example', valid, probe);
  t.is(cache.get('d', 'ann@corp.example', probe)?.verdict.kind, 'valid');
  t.deepEqual(cache.counts(), { positive: 1, negative: 0 });
});

test('a flood of unknown recipients does not evict the positives, and the bound holds', (t) => {
  const { cache } = begin(100, 2);
  for (let i = 0; i < 20; i++) cache.put('d', `user${i}@corp.example`, valid, probe);
  for (let i = 0; i < 1000; i++) cache.put('d', `guess${i}@corp.example`, unknown, probe);
  t.deepEqual(cache.counts(), { positive: 20, negative: 25 });
  for (let i = 0; i < 1000; i++) cache.put('d', `more${i}@corp.example`, valid, probe);
  t.deepEqual(cache.counts(), { positive: 25, negative: 25 });
});

test('destinations do not share verdicts', (t) => {
  const { cache } = begin();
  cache.put('d', 'ann@corp.example', valid, probe);
  t.is(cache.get('e', 'ann@corp.example', probe), null);
});

test('the local part is folded in the key only where the profile says so', (t) => {
  const folding = probeOf({ foldLocalPart: true });
  const { cache } = begin();
  cache.put('d', 'Ann@corp.example', valid, probe);
  t.is(cache.get('d', 'ann@corp.example', probe), null);
  cache.put('d', 'Ann@corp.example', valid, folding);
  t.is(cache.get('d', 'aNN@corp.example', folding)?.verdict.kind, 'valid');
});

test('a flush forgets what it names, and is counted', async (t) => {
  const { cache } = begin();
  const fill = (): void => {
    cache.put('d', 'ann@corp.example', valid, probe);
    cache.put('e', 'ann@corp.example', { ...valid, server: 'other.example:25' }, probe);
    cache.put('d', 'bob@corp.example', unknown, probe);
    cache.put('d', '"x@y"@sub.corp.example', valid, probe);
  };
  fill();
  t.is(await cache.flush({ kind: 'recipient', value: 'ann@corp.example' }), 2);
  fill();
  t.is(await cache.flush({ kind: 'domain', value: 'corp.example' }), 3);
  fill();
  t.is(await cache.flush({ kind: 'server', value: 'other.example:25' }), 1);
  fill();
  t.is(await cache.flush({ kind: 'negative' }), 1);
  fill();
  t.is(await cache.flush({ kind: 'all' }), 4);
  t.is(cache.generation(), 5);
});

test('a look-up shows every entry about an address, with its age and the time it has left', async (t) => {
  const { cache, clock } = begin();
  cache.put('d', 'ann@corp.example', valid, probe);
  clock.ms = 400;
  cache.put('e', 'ann@corp.example', unknown, probe);
  t.like(await cache.lookup('ann@corp.example'), [
    { profile: 'corp', destination: 'd', ageMs: 400, ttlMs: 600, verdict: { kind: 'valid' } },
    { profile: 'corp', destination: 'e', ageMs: 0, ttlMs: 300, verdict: { kind: 'unknown' } },
  ]);
  clock.ms = 700;
  t.is((await cache.lookup('ann@corp.example')).length, 1);
});

test('a no that is not kept still ends the yes before it', (t) => {
  const { cache } = begin();
  cache.put('d', 'ann@corp.example', valid, probe);
  cache.put('d', 'ann@corp.example', refused, probe);
  t.is(cache.get('d', 'ann@corp.example', probe), null);
  cache.put('d', 'ann@corp.example', valid, probe);
  cache.put('d', 'ann@corp.example', unknown, probeOf({ negativeCacheTtlMs: 0 }));
  t.is(cache.get('d', 'ann@corp.example', probe), null);
});

test('a yes outlives its time for who finds no server, to the millisecond, and nobody else', async (t) => {
  const patient = probeOf({ cacheTtlMs: 1000, staleIfErrorMs: 500 });
  const { cache, clock } = begin();
  cache.put('d', 'ann@corp.example', valid, patient);
  cache.put('d', 'bob@corp.example', unknown, patient);
  clock.ms = 1499;
  t.is(cache.get('d', 'ann@corp.example', patient), null);
  t.deepEqual(await cache.lookup('ann@corp.example'), []);
  t.like(cache.stale('d', 'ann@corp.example', patient), { kind: 'valid', source: 'cache' });
  t.is(cache.stale('d', 'ann@corp.example', probe), null);
  t.is(cache.stale('e', 'ann@corp.example', patient), null);
  t.is(cache.stale('d', 'bob@corp.example', patient), null);
  clock.ms = 1500;
  t.is(cache.stale('d', 'ann@corp.example', patient), null);
  t.is(cache.get('d', 'ann@corp.example', patient), null);
  t.is(cache.counts().positive, 0);
});

test('a yes that is known to be wrong is not served stale', (t) => {
  const patient = probeOf({ cacheTtlMs: 1000, staleIfErrorMs: 500 });
  for (const no of [unknown, refused]) {
    const { cache, clock } = begin();
    cache.put('d', 'ann@corp.example', valid, patient);
    clock.ms = 1100;
    cache.put('d', 'ann@corp.example', no, patient);
    t.is(cache.stale('d', 'ann@corp.example', patient), null);
  }
});

test('each who was refused gets the reply with the own address, though one form is kept for all', async (t) => {
  const { cache } = begin();
  const saying = (text: string): Verdict => ({ ...unknown, reply: { code: 550, enhanced: '5.1.1', text } });
  for (const name of ['ann', 'bob']) {
    cache.put('d', `${name}@corp.example`, saying(`<${name}@corp.example> is no user; ${name}@corp.example`), probe);
  }
  cache.put('d', '$&@corp.example', saying('<$&@corp.example> is no user'), probe);
  const texts = ['ann', 'bob', '$&'].map((name) => {
    const verdict = cache.get('d', `${name}@corp.example`, probe)?.verdict;
    return verdict?.kind === 'unknown' ? verdict.reply.text : '';
  });
  t.deepEqual(texts, [
    '<ann@corp.example> is no user; ann@corp.example',
    '<bob@corp.example> is no user; bob@corp.example',
    '<$&@corp.example> is no user',
  ]);
  t.like(await cache.lookup('bob@corp.example'), [{ verdict: { reply: { text: texts[1] ?? '' } } }]);
});

test('destinations whose names have one mark do not share verdicts', (t) => {
  // Letter case does not count in a mark.
  const { cache } = begin();
  cache.put('corp mx.example', 'ann@corp.example', valid, probe);
  t.is(cache.get('CORP MX.EXAMPLE', 'ann@corp.example', probe), null);
  t.is(cache.stale('CORP MX.EXAMPLE', 'ann@corp.example', probeOf({ staleIfErrorMs: 1 })), null);
});

test('another size keeps what was used last, and equal settings keep everything', (t) => {
  const { cache } = begin(400);
  for (let i = 0; i < 200; i++) cache.put('d', `${i}@corp.example`, valid, probe);
  cache.renew({ ...probe, cacheSize: 400 });
  t.deepEqual(cache.counts(), { positive: 200, negative: 0 });
  cache.get('d', '0@corp.example', probe);
  cache.renew({ ...probe, cacheSize: 100 });
  t.deepEqual(cache.counts(), { positive: 50, negative: 0 });
  t.is(cache.get('d', '0@corp.example', probe)?.verdict.kind, 'valid');
  t.is(cache.get('d', '199@corp.example', probe)?.verdict.kind, 'valid');
  t.is(cache.get('d', '1@corp.example', probe), null);
});

test('a shorter time to live counts for what is kept already, a longer one does not', (t) => {
  const { cache, clock } = begin();
  cache.put('d', 'ann@corp.example', valid, probe);
  clock.ms = 500;
  t.is(cache.get('d', 'ann@corp.example', probeOf({ cacheTtlMs: 600 }))?.verdict.kind, 'valid');
  t.is(cache.get('d', 'ann@corp.example', probeOf({ cacheTtlMs: 500 })), null);
  cache.put('d', 'ann@corp.example', valid, probe);
  clock.ms = 1500;
  t.is(cache.get('d', 'ann@corp.example', probeOf({ cacheTtlMs: 9000 })), null);
});

test('where questions or replies are understood otherwise nothing is kept, not even what is being asked', (t) => {
  for (const change of [{ foldLocalPart: true }, { unknownRecipientCodes: ['5.4.1'] }]) {
    const { cache } = begin();
    cache.put('d', 'ann@corp.example', valid, probe);
    const before = cache.generation();
    cache.renew({ ...probe, cacheSize: 100, ...change });
    t.deepEqual(cache.counts(), { positive: 0, negative: 0 });
    t.not(cache.generation(), before);
  }
});

test('a flush of very many entries counts at once, gives way to others, and spares what comes after it', async (t) => {
  const { cache, clock } = begin(60_000);
  for (let i = 0; i < 30_000; i++) cache.put('d', `user${i}@corp.example`, valid, probe);
  cache.put('d', 'dan@corp.example', unknown, probe);
  const turn = new Promise<number>((resolve) => setImmediate(() => resolve(cache.counts().positive)));
  const flushed = cache.flush({ kind: 'domain', value: 'corp.example' });
  t.is(cache.get('d', 'user0@corp.example', probe), null);
  t.is(cache.get('d', 'dan@corp.example', probe), null);
  t.deepEqual(await cache.lookup('user0@corp.example'), []);
  clock.ms = 1;
  cache.put('d', 'user29999@corp.example', valid, probe);
  t.true((await turn) > 1, 'others had a turn before it was through');
  t.is(await flushed, 30_001);
  t.is(cache.get('d', 'user29999@corp.example', probe)?.verdict.kind, 'valid');
  t.deepEqual(cache.counts(), { positive: 1, negative: 0 });
});
