import type { Client, Event } from '@callahead/core';
import test from 'ava';
import { createHarvestCounter, type HarvestCounter } from '../../packages/listener/src/dhap.ts';
import { usedHeap } from '../support/garbage.ts';
import { clientWith } from '../support/harvest.ts';

const HOUR_MS = 3_600_000;

type Fake = Readonly<{ counter: HarvestCounter; clock: { ms: number }; events: Event[] }>;

function fake(bounds: Readonly<{ maxClients?: number; maxTimes?: number }> = {}): Fake {
  const clock = { ms: 5_000 };
  const events: Event[] = [];
  const counter = createHarvestCounter({ emit: (event) => events.push(event), now: () => clock.ms, ...bounds });
  return { counter, clock, events };
}

function count(counter: HarvestCounter, client: Client, times = 1): void {
  for (let i = 0; i < times; i++) counter.count(client, 'inbound', `u${i}@example.com`);
}

test('so many invalid recipients are allowed, and no more', (t) => {
  const { counter } = fake();
  const client = clientWith(25);
  count(counter, client, 24);
  t.false(counter.blocks(client));
  count(counter, client);
  t.true(counter.blocks(client));
});

test('a client is let in again exactly when the first of those that were counted is an hour old, for one more', (t) => {
  const { counter, clock } = fake();
  const client = clientWith(3);
  const startMs = clock.ms;
  for (const offsetMs of [0, 10, 20]) {
    clock.ms = startMs + offsetMs;
    count(counter, client);
  }
  clock.ms = startMs + HOUR_MS - 1;
  t.true(counter.blocks(client));
  clock.ms = startMs + HOUR_MS;
  t.false(counter.blocks(client));
  count(counter, client);
  t.true(counter.blocks(client));
  clock.ms = startMs + HOUR_MS + 10;
  t.false(counter.blocks(client));
  clock.ms = startMs + HOUR_MS * 2;
  t.false(counter.blocks(client));
});

test('clients of one prefix are one, others are others', (t) => {
  const { counter } = fake();
  const of = (address: string): Client => clientWith(2, { address, prefixV4: 24 });
  count(counter, of('192.0.2.1'));
  count(counter, of('::ffff:192.0.2.200'));
  t.true(counter.blocks(of('192.0.2.77')));
  t.false(counter.blocks(of('192.0.3.1')));
  count(counter, of('2001:db8:0:1::1'));
  count(counter, of('2001:db8:0:1:ffff::'));
  t.true(counter.blocks(of('2001:db8:0:1::2')));
  t.false(counter.blocks(of('2001:db8:0:2::1')));
});

test('who is counted by two policies is measured by each with its own limit, and by all that was counted', (t) => {
  const { counter, events } = fake();
  const [strict, lenient] = [clientWith(2), clientWith(4)];
  count(counter, strict, 2);
  t.true(counter.blocks(strict));
  t.false(counter.blocks(lenient));
  count(counter, lenient, 2);
  t.true(counter.blocks(lenient));
  t.deepEqual(
    events.map((event) => event.event === 'dhap.blocked' && event.count),
    [2, 4],
  );
});

test('a policy without a limit, and relay, neither counts nor blocks; none at all blocks everybody', (t) => {
  const { counter } = fake();
  const relay = clientWith(1, { action: 'relay' });
  count(counter, clientWith(null), 100);
  count(counter, relay, 100);
  t.deepEqual(counter.size(), { clients: 0, times: 0 });
  count(counter, clientWith(1));
  t.false(counter.blocks(relay));
  t.false(counter.blocks(clientWith(null)));
  t.true(counter.blocks(clientWith(0, { address: '192.0.2.10' })));
  t.notThrows(() => count(counter, clientWith(0)));
});

test('a crossing is told once, with the last addresses and with when it ends', (t) => {
  const { counter, clock, events } = fake();
  const client = clientWith(7, { prefixV4: 24 });
  const until = new Date(performance.timeOrigin + clock.ms + HOUR_MS).toISOString();
  count(counter, client, 6);
  t.deepEqual(events, []);
  clock.ms += 1_000;
  counter.count(client, 'other', 'last@example.com');
  t.deepEqual(events, [
    {
      event: 'dhap.blocked',
      listener: 'other',
      client: '192.0.2.0/24',
      group: 'others',
      policy: 'accepted',
      count: 7,
      samples: ['u2@example.com', 'u3@example.com', 'u4@example.com', 'u5@example.com', 'last@example.com'],
      until,
    },
  ]);
  clock.ms += HOUR_MS;
  count(counter, client, 6);
  t.is(events.length, 1);
  count(counter, client);
  t.is(events.length, 2);
});

test('a small limit tells no more addresses than it counts', (t) => {
  const { counter, clock, events } = fake();
  count(counter, clientWith(2));
  clock.ms += HOUR_MS;
  count(counter, clientWith(2), 2);
  const [event] = events;
  t.deepEqual(event?.event === 'dhap.blocked' && event.samples, ['u0@example.com', 'u1@example.com']);
});

test('what is an hour old is forgotten', (t) => {
  const { counter, clock } = fake();
  for (let i = 0; i < 100; i++) count(counter, clientWith(5, { address: `192.0.2.${i}` }), 1 + (i % 5));
  t.is(counter.size().clients, 100);
  clock.ms += HOUR_MS;
  count(counter, clientWith(5, { address: '198.51.100.1' }));
  t.deepEqual(counter.size(), { clients: 1, times: 1 });
});

test('a client that counts slowly does not pile up what is old', (t) => {
  const { counter, clock } = fake();
  const client = clientWith(100_000);
  for (let i = 0; i < 10_000; i++) {
    clock.ms += HOUR_MS / 10;
    count(counter, client);
    t.true(counter.size().times <= 21);
  }
});

const addressOf = (i: number): string => `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`;

test('a flood of new clients drives out neither who is blocked nor who counts much', (t) => {
  const { counter, clock } = fake({ maxClients: 1_000 });
  const [blocked, busy] = [clientWith(25, { address: '192.0.2.1' }), clientWith(25, { address: '192.0.2.2' })];
  count(counter, blocked, 25);
  count(counter, busy, 24);
  const startMs = clock.ms;
  for (let i = 0; i < 1_000_000; i++) {
    clock.ms = startMs + i;
    counter.count(clientWith(25, { address: addressOf(i) }), 'inbound', 'nobody@example.com');
    if (counter.size().clients > 1_000) t.fail();
  }
  t.true(counter.blocks(blocked));
  count(counter, busy);
  t.true(counter.blocks(busy));
});

test('where all that are remembered are blocked, who is new is not counted until one of them may come again', (t) => {
  const { counter, clock } = fake({ maxClients: 3 });
  const at = (i: number): Client => clientWith(2, { address: `192.0.2.${i}` });
  for (const i of [1, 2, 3]) count(counter, at(i), 2);
  count(counter, at(4), 5);
  t.deepEqual(
    [1, 2, 3, 4].map((i) => counter.blocks(at(i))),
    [true, true, true, false],
  );
  clock.ms += HOUR_MS;
  count(counter, at(4), 2);
  t.true(counter.blocks(at(4)));
});

test('the first of the blocked makes room once its window has opened, though it counts still', (t) => {
  const { counter, clock } = fake({ maxClients: 1 });
  const [one, two] = [clientWith(2, { address: '192.0.2.1' }), clientWith(2, { address: '192.0.2.2' })];
  count(counter, one);
  clock.ms += HOUR_MS / 2;
  count(counter, one);
  clock.ms += HOUR_MS / 2;
  count(counter, two, 2);
  t.true(counter.blocks(two));
});

test('a very large limit costs what is counted, and all clients together have a bound', (t) => {
  const { counter } = fake({ maxTimes: 1_000 });
  const [large, small] = [clientWith(100_000, { address: '192.0.2.1' }), clientWith(10, { address: '192.0.2.2' })];
  count(counter, small, 10);
  for (let i = 0; i < 50; i++) count(counter, clientWith(10, { address: addressOf(i) }));
  count(counter, large, 5_000);
  t.deepEqual(counter.size(), { clients: 2, times: 1_000 });
  t.true(counter.blocks(small));
});

test('the addresses that are kept for the log keep no line that they were a part of', (t) => {
  const { counter } = fake();
  const before = usedHeap();
  for (let i = 0; i < 1_000; i++) {
    const line = Buffer.from(`guess${i}@example.com${' '.repeat(20_000)}`).toString('latin1');
    counter.count(clientWith(5, { address: `192.0.${i >> 8}.${i & 255}` }), 'inbound', line.slice(0, 20));
  }
  const octets = usedHeap() - before;
  t.is(counter.size().clients, 1_000);
  t.true(octets < 10_000_000, `${octets} octets are still in use`);
});
