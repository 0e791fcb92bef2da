import type { Server } from '@callahead/core';
import { hostPort } from '@callahead/core';
import type { Hops } from '@callahead/routing';
import test from 'ava';
import { createDestinations, type Destinations } from '../../packages/routing/src/destinations.ts';
import { type Resolved, trouble } from '../../packages/routing/src/resolved.ts';
import { recipientOf } from '../support/recipients.ts';
import { hopTo } from '../support/routing.ts';

function at(domain: string): Hops {
  return { kind: 'hops', recipient: recipientOf(`anna@${domain}`), named: 'recipient', hops: [hopTo(domain)] };
}

function server(host: string, address: string): Server {
  return { kind: 'tcp', host, port: 25, targets: [{ name: host, address }] };
}

function servers(host: string, address: string, expiresAtMs = 60_000): Resolved {
  return {
    kind: 'servers',
    names: `mx ${hostPort(host, 25)}`,
    print: `0 ${host} ${address}`,
    tiers: [[server(host, address)]],
    within: 'shuffle',
    about: ['example.com', host],
    expiresAtMs,
  };
}

type Open = Readonly<{ destinations: Destinations; looked: string[]; forgotten: unknown[]; pass(ms: number): void }>;

function open(resolve: (domain: string) => Promise<Resolved>): Open {
  let clockMs = 0;
  const looked: string[] = [];
  const forgotten: unknown[] = [];
  const destinations = createDestinations(
    (hops) => {
      looked.push(hops.recipient.domain);
      return resolve(hops.recipient.domain);
    },
    { forget: (what) => forgotten.push(what) },
    () => clockMs,
  );
  return { destinations, looked, forgotten, pass: (ms) => (clockMs += ms) };
}

test('what is remembered is no promise, and the same object until it expires', async (t) => {
  const { destinations, looked } = open(async () => servers('mx.example', '192.0.2.1'));
  const first = await destinations.find(at('example.com'));
  t.is(destinations.find(at('example.com')), first);
  t.deepEqual(looked, ['example.com']);
});

test('an expired destination is looked up again and stays the same object while nothing changed', async (t) => {
  let address = '192.0.2.1';
  const { destinations, looked, pass } = open(async () => servers('mx.example', address, 60_000 * (looked.length + 1)));
  const first = await destinations.find(at('example.com'));
  pass(120_000);
  t.is(await destinations.find(at('example.com')), first);
  t.is(looked.length, 2);
  address = '192.0.2.2';
  pass(60_000);
  const changed = await destinations.find(at('example.com'));
  t.not(changed, first);
  t.like(changed, { tiers: [[{ targets: [{ address: '192.0.2.2' }] }]] });
});

test('two domains with the same servers are one destination, and both get what was resolved last', async (t) => {
  let address = '192.0.2.1';
  const { destinations } = open(async () => servers('mx.example', address));
  const first = await destinations.find(at('a.example'));
  t.is(await destinations.find(at('b.example')), first);
  address = '192.0.2.2';
  const newer = await destinations.find(at('c.example'));
  t.not(newer, first);
  t.is(destinations.find(at('a.example')), newer);
});

test('equal questions in flight share one look-up', async (t) => {
  const { destinations, looked } = open(async () => servers('mx.example', '192.0.2.1'));
  await Promise.all(Array.from({ length: 100 }, () => destinations.find(at('example.com'))));
  t.is(looked.length, 1);
});

test('known servers serve on while the next look-up waits for an answer', async (t) => {
  const { destinations, looked, pass } = open(
    (): Promise<Resolved> =>
      looked.length === 1 ? Promise.resolve(servers('mx.example', '192.0.2.1')) : new Promise<Resolved>(() => {}),
  );
  const first = await destinations.find(at('example.com'));
  pass(60_000);
  t.is(await destinations.find(at('example.com')), first);
});

test('a failure is not remembered, and a look-up that throws is one', async (t) => {
  const results: (() => Promise<Resolved>)[] = [
    () => Promise.resolve(trouble('dns', 'down', ['example.com'], 0)),
    () => Promise.reject(new Error('broken')),
    () => Promise.resolve(servers('mx.example', '192.0.2.1')),
  ];
  const { destinations } = open(async () => (await results.shift()?.()) ?? t.fail());
  t.like(await destinations.find(at('example.com')), { verdict: { cause: 'dns' } });
  t.like(await destinations.find(at('example.com')), { verdict: { cause: 'no-route' } });
  t.like(await destinations.find(at('example.com')), { kind: 'destination' });
});

test('a flush takes what it fits, and the DNS answers behind it', async (t) => {
  const { destinations, looked, forgotten } = open(async (domain) =>
    domain === 'none.example' ? trouble('no-route', 'none', [domain], 60_000) : servers(`mx.${domain}`, '192.0.2.1'),
  );
  const domains = ['a.example', 'b.example', 'none.example'];
  const again = async (...what: Parameters<Destinations['flush']>): Promise<string[]> => {
    destinations.flush(...what);
    looked.length = 0;
    for (const domain of domains) await destinations.find(at(domain));
    return [...looked];
  };
  await again({ kind: 'all' });
  t.deepEqual(await again({ kind: 'domain', value: 'a.example' }), ['a.example']);
  t.deepEqual(forgotten.at(-1), ['example.com', 'mx.a.example', 'a.example']);
  t.deepEqual(await again({ kind: 'recipient', value: 'Anna@b.example' }), ['b.example']);
  t.deepEqual(await again({ kind: 'server', value: 'mx.b.example:25' }), ['b.example']);
  t.deepEqual(await again({ kind: 'server', value: 'mx.b.example:26' }), []);
  t.deepEqual(await again({ kind: 'negative' }), ['none.example']);
  t.is(forgotten.at(-1), 'negative');
  t.deepEqual(await again({ kind: 'all' }), domains);
});

test('what was asked before a flush is not remembered after it', async (t) => {
  let release = (_: Resolved): void => {};
  const { destinations, looked } = open(
    () =>
      new Promise((resolve) => {
        release = resolve;
      }),
  );
  const before = destinations.find(at('example.com'));
  destinations.flush({ kind: 'all' });
  release(servers('mx.example', '192.0.2.1'));
  await before;
  const after = destinations.find(at('example.com'));
  t.true(after instanceof Promise);
  t.is(looked.length, 2);
  release(servers('mx.example', '192.0.2.1'));
  await after;
});

test("the same hosts named by an operator are looked up apart from a recipient's domain of that name", async (t) => {
  const { destinations, looked } = open(async (domain) => servers(domain, '192.0.2.1'));
  await destinations.find(at('example.com'));
  await destinations.find({ ...at('example.com'), named: 'operator' });
  t.is(looked.length, 2);
});
