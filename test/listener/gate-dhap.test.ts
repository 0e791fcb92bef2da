/** Harvest protection in the gate: asked ahead, decided in the order of the replies (SPEC 6.3). */
import type { Client, DeliveryRouting, Event, HarvestProtection, ListenerSettings, Verdict } from '@callahead/core';
import { failed } from '@callahead/core';
import test from 'ava';
import { createHarvestCounter } from '../../packages/listener/src/dhap.ts';
import { createGate, type Gate, type GateOptions, type Ticket } from '../../packages/listener/src/gate.ts';
import { openTransaction, type Transaction } from '../../packages/listener/src/incoming.ts';
import { ACCESS, knows, LIMITS, locateAll } from '../support/front-door.ts';
import { clientWith } from '../support/harvest.ts';
import { recipientOf } from '../support/recipients.ts';
import { profileOf } from '../support/routing.ts';

const HOUR_MS = 3_600_000;
const PROFILE = profileOf(null);
const SETTINGS: ListenerSettings = {
  name: 'inbound',
  type: 'public',
  listen: [],
  profile: PROFILE,
  recipientAccess: ACCESS,
  hostAccess: null,
  ldapRouting: null,
  relay: true,
  postmaster: recipientOf('postmaster@example.com'),
  bareNewline: 'reject',
  tls: null,
  proxyProtocol: null,
  limits: LIMITS,
};
const WAITING = { recorder: null, ready() {} };
const DHAP = '450 4.7.1 dhap session1';

type Fake = Readonly<{ gate: Gate; clock: { ms: number }; events: Event[] }>;

function fake(options: Partial<GateOptions> = {}): Fake {
  const clock = { ms: 1_000 };
  const now = (): number => clock.ms;
  const events: Event[] = [];
  const harvest = createHarvestCounter({ emit: (event) => events.push(event), now });
  const defaults = { settings: SETTINGS, validate: knows('known'), locate: locateAll, holds: null, usage: null };
  return { gate: createGate({ ...defaults, harvest, now, ...options }), clock, events };
}

function transactionOf(client: Client, sender = 'a@client.example'): Transaction {
  return openTransaction(client, { sender });
}

function settled(gate: Gate, ticket: Ticket, transaction: Transaction): string {
  const decision = gate.settle(ticket, transaction, 'session1');
  const { code, enhanced } = decision.reply;
  return decision.kind === 'accept' ? `${code}` : `${code} ${enhanced} ${decision.reason} ${decision.ref}`;
}

function ask(gate: Gate, address: string, transaction: Transaction): string {
  return settled(gate, gate.begin(recipientOf(address), transaction, WAITING), transaction);
}

/** What the second recipient gets of a client that may have one invalid one, after this first. */
function after(
  first: string,
  options: Partial<GateOptions> = {},
  harvest: Partial<HarvestProtection> = {},
  sender = 'a@client.example',
): string {
  const { gate } = fake(options);
  const transaction = transactionOf(clientWith(1, harvest), sender);
  ask(gate, first, transaction);
  return ask(gate, 'known@example.com', transaction);
}

function always(verdict: Verdict, profile = PROFILE): Partial<GateOptions> {
  return {
    settings: { ...SETTINGS, profile },
    validate: ({ recipient }) =>
      recipient.local === 'known' ? { kind: 'valid', source: 'server', server: '' } : verdict,
  };
}

function said(kind: 'unknown' | 'refused' | 'temporary', source: Verdict['source'] = 'server'): Verdict {
  const code = kind === 'temporary' ? 450 : 550;
  return { kind, source, server: '', reply: { code, enhanced: null, text: 'no' }, ref: '' };
}

const MONITOR = { ...PROFILE, actions: { ...PROFILE.actions, mode: 'monitor' } as const };
const CLOSED = { ...PROFILE, actions: { ...PROFILE.actions, onValidationFailure: { kind: 'reject' } as const } };

const COUNTED: readonly [string, string, Partial<GateOptions>, Partial<HarvestProtection>][] = [
  ['what the access table refuses', 'known@elsewhere.example', {}, {}],
  ['an unknown recipient', 'nobody@example.com', {}, {}],
  ['an unknown recipient of the cache', 'nobody@example.com', always(said('unknown', 'cache')), {}],
  ['a domain that routing knows to take no mail', 'nobody@example.com', always(said('unknown', 'routing')), {}],
  ['a refused recipient, where that is wanted', 'nobody@example.com', always(said('refused')), { counts: ['refused'] }],
];
for (const [what, address, options, harvest] of COUNTED) {
  test(`${what} is counted`, (t) => {
    t.is(after(address, options, harvest), DHAP);
  });
}

const NOT_COUNTED: typeof COUNTED = [
  ['an accepted recipient', 'known@example.com', {}, {}],
  ['a bypassed recipient', 'free@example.com', {}, {}],
  ['a refused recipient', 'nobody@example.com', always(said('refused')), {}],
  ['a temporary answer', 'nobody@example.com', always(said('temporary')), {}],
  ['a failure', 'nobody@example.com', always(failed('connect', 'down'), CLOSED), {}],
  ['a failure that opens the door', 'nobody@example.com', always(failed('connect', 'down')), {}],
  ['a recipient that is accepted because we only watch', 'nobody@example.com', always(said('unknown'), MONITOR), {}],
  ['an unknown recipient, where only refusals of the table are', 'nobody@example.com', {}, { counts: ['rat'] }],
  ['what the table refuses, where only unknown ones are', 'known@elsewhere.example', {}, { counts: ['unknown'] }],
];
for (const [what, address, options, harvest] of NOT_COUNTED) {
  test(`${what} is not counted`, (t) => {
    t.is(after(address, options, harvest), '250');
  });
}

test('bounces to recipients that do not exist are counted unless the policy says otherwise', (t) => {
  t.is(after('nobody@example.com', {}, {}, ''), DHAP);
  t.is(after('nobody@example.com', {}, { nullSender: false }, ''), '250');
  t.is(after('nobody@example.com', {}, { nullSender: false }), DHAP);
});

test('bounces of a client that is blocked get the harvest reply too', (t) => {
  const { gate } = fake();
  const client = clientWith(1, { nullSender: false });
  ask(gate, 'nobody@example.com', transactionOf(client));
  t.is(ask(gate, 'known@example.com', transactionOf(client, '')), DHAP);
});

test('what a delivery host said last time is no answer about a recipient that does not exist', (t) => {
  const take = () => ({ code: 550, enhanced: '5.1.1', text: 'no' });
  t.is(after('known@example.com', { holds: { take } }), '550 5.1.1 refused session1');
});

test('a blocked client is neither looked up nor routed nor asked about, not even for the postmaster', (t) => {
  const asked: string[] = [];
  const { gate } = fake({
    validate(request) {
      asked.push(`validate ${request.recipient.local}`);
      return knows('known')(request);
    },
    locate(request) {
      asked.push(`locate ${request.recipient.local}`);
      return locateAll(request) as DeliveryRouting;
    },
    settings: {
      ...SETTINGS,
      recipientAccess: {
        ...ACCESS,
        decide(to) {
          asked.push(`decide ${to.local}`);
          return ACCESS.decide(to);
        },
      },
    },
  });
  const transaction = transactionOf(clientWith(1));
  ask(gate, 'nobody@example.com', transaction);
  t.deepEqual(asked.splice(0), ['decide nobody', 'validate nobody', 'locate nobody']);
  t.is(ask(gate, 'known@example.com', transaction), DHAP);
  t.is(ask(gate, 'known@elsewhere.example', transaction), DHAP);
  const postmaster = gate.beginPostmaster(transaction, WAITING);
  t.is(settled(gate, postmaster, transaction), DHAP);
  t.deepEqual(asked, []);
});

test('of a hundred recipients asked ahead the threshold falls where it falls in their order, and the server is not heard after it', async (t) => {
  let asks = 0;
  const tell: (() => void)[] = [];
  const { gate, clock, events } = fake({
    validate(request) {
      asks++;
      return new Promise<Verdict>((resolve) => tell.push(() => resolve(knows('known')(request) as Verdict)));
    },
  });
  const client = clientWith(25);
  const transaction = transactionOf(client);
  const startMs = clock.ms;
  let known = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const options = { recorder: null, ready: () => void (++known === 100 && resolve()) };
  // Every second one is valid: the 25th invalid one is the 50th recipient.
  const tickets = Array.from({ length: 100 }, (_, i) =>
    gate.begin(recipientOf(i % 2 === 0 ? 'known@example.com' : `u${i}@example.com`), transaction, options),
  );
  t.is(asks, 100);
  for (const answer of tell.reverse()) answer();
  await promise;
  const replies = tickets.map((ticket) => {
    clock.ms += 1;
    return settled(gate, ticket, transaction);
  });
  for (const [i, reply] of replies.entries()) {
    const own = i % 2 === 0 ? '250' : '550 5.1.1 unknown ref1';
    t.is(reply, i < 50 ? own : DHAP, `recipient ${i}`);
  }
  t.is(ask(gate, 'late@example.com', transaction), DHAP);
  t.is(asks, 100, 'and nothing is asked any more');
  t.is(events.length, 1);
  // The 25 invalid ones behind the threshold were not counted: the window opens with the first of those before it.
  clock.ms = startMs + 2 + HOUR_MS - 1;
  t.is(ask(gate, 'known@elsewhere.example', transactionOf(client)), DHAP);
  clock.ms += 1;
  t.is(ask(gate, 'known@elsewhere.example', transactionOf(client)), '550 5.7.1 access session1');
  t.is(ask(gate, 'known@elsewhere.example', transactionOf(client)), DHAP);
});

test('a recipient that came while its client was blocked gets the harvest reply, though the window has opened since', (t) => {
  const { gate, clock } = fake();
  const transaction = transactionOf(clientWith(1));
  ask(gate, 'nobody@example.com', transaction);
  const ticket = gate.begin(recipientOf('known@example.com'), transaction, WAITING);
  clock.ms += HOUR_MS;
  t.is(settled(gate, ticket, transaction), DHAP);
  t.is(ask(gate, 'known@example.com', transaction), '250');
});

test('the harvest reply is the one of the policy, closes the session if that says so, and stops the transaction', (t) => {
  const reply = { code: 550, enhanced: '5.7.1', text: 'Go away' };
  for (const disconnect of [true, false]) {
    const { gate } = fake();
    const transaction = transactionOf(clientWith(1, { reply, disconnect }));
    ask(gate, 'known@example.com', transaction);
    ask(gate, 'nobody@example.com', transaction);
    t.is(transaction.stopped, null, 'the last one that is allowed stops nothing');
    const ticket = gate.begin(recipientOf('known@example.com'), transaction, WAITING);
    const decision = gate.settle(ticket, transaction, 'session1');
    t.deepEqual(decision, { kind: 'reject', reply, reason: 'dhap', ref: 'session1', disconnect });
    t.deepEqual(transaction.stopped, reply);
  }
});

test('the limit of recipients comes first', (t) => {
  const { gate } = fake({ settings: { ...SETTINGS, limits: { ...LIMITS, recipientsPerMessage: 1 } } });
  const transaction = transactionOf(clientWith(1));
  ask(gate, 'nobody@example.com', transaction);
  transaction.accepted = 1;
  t.is(ask(gate, 'known@example.com', transaction), '452 4.5.3 limit session1');
});

test('the crossing is told by the listener where it happened', (t) => {
  const { gate, events } = fake();
  ask(gate, 'Nobody@EXAMPLE.com', transactionOf(clientWith(1, { prefixV4: 24 })));
  const [event] = events;
  t.like(event, {
    event: 'dhap.blocked',
    listener: 'inbound',
    client: '192.0.2.0/24',
    group: 'others',
    policy: 'accepted',
    count: 1,
    samples: ['Nobody@example.com'],
  });
});
