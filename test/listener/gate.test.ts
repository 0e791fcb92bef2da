import type {
  DeliveryRequest,
  DeliveryRouting,
  ListenerSettings,
  Profile,
  Request,
  Step,
  Verdict,
} from '@callahead/core';
import { EVERYBODY, failed } from '@callahead/core';
import test from 'ava';
import { createGate, type Gate, type GateOptions, type Ticket } from '../../packages/listener/src/gate.ts';
import { openTransaction, type Transaction } from '../../packages/listener/src/incoming.ts';
import { ACCESS, deliveredTo, knows, LIMITS, locateAll } from '../support/front-door.ts';
import { recipientOf } from '../support/recipients.ts';
import { profileOf } from '../support/routing.ts';

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

function gateWith(options: Partial<GateOptions> = {}): Gate {
  const now = (): number => 1_000;
  return createGate({
    settings: SETTINGS,
    validate: knows('known'),
    locate: locateAll,
    holds: null,
    harvest: null,
    usage: null,
    now,
    ...options,
  });
}

function transactionOf(sender = 'a@client.example'): Transaction {
  return openTransaction({ address: '192.0.2.9', admission: EVERYBODY }, { sender });
}

/** Begins, waits for what is outstanding, and settles. */
async function ask(gate: Gate, address: string, transaction = transactionOf()): Promise<string> {
  const ticket = await new Promise<Ticket>((resolve) => {
    const begun = gate.begin(recipientOf(address), transaction, { recorder: null, ready: resolve });
    if (begun.outstanding === 0) resolve(begun);
  });
  return settled(gate, ticket, transaction);
}

function settled(gate: Gate, ticket: Ticket, transaction: Transaction): string {
  const decision = gate.settle(ticket, transaction, 'session1');
  const { code, enhanced } = decision.reply;
  return decision.kind === 'accept' ? `${code}` : `${code} ${enhanced} ${decision.reason} ${decision.ref}`;
}

test('what the access table refuses is neither routed nor asked about', async (t) => {
  const gate = gateWith({ validate: () => t.fail() as never, locate: () => t.fail() as never });
  t.is(await ask(gate, 'known@elsewhere.example'), '550 5.7.1 access session1');
});

test('what bypasses the call-ahead is routed and not asked about', async (t) => {
  const transaction = transactionOf();
  t.is(await ask(gateWith({ validate: () => t.fail() as never }), 'free@example.com', transaction), '250');
  t.is(transaction.recipients.length, 1);
});

test('a listener without a profile asks nobody', async (t) => {
  const gate = gateWith({ settings: { ...SETTINGS, profile: null }, validate: () => t.fail() as never });
  t.is(await ask(gate, 'nobody@example.com'), '250');
});

test('the senders of our own probes are not asked about', async (t) => {
  const probe = { ...PROFILE.probe, mailFrom: 'probe@example.com', mailFromFallback: 'other@example.com' };
  const gate = gateWith({
    settings: { ...SETTINGS, profile: { ...PROFILE, probe } },
    validate: () => t.fail() as never,
  });
  t.is(await ask(gate, 'probe@example.com'), '250');
  t.is(await ask(gate, 'other@example.com'), '250');
});

test('the postmaster without a domain is not asked about, and goes where the listener says', (t) => {
  const transaction = transactionOf();
  const gate = gateWith({ validate: () => t.fail() as never });
  const ticket = gate.beginPostmaster(transaction, { recorder: null, ready() {} });
  t.is(settled(gate, ticket, transaction), '250');
  t.is(transaction.recipients[0]?.address, 'postmaster@example.com');
});

test('the postmaster is accepted too where nothing is relayed', (t) => {
  const gate = gateWith({ settings: { ...SETTINGS, relay: false, postmaster: null }, locate: () => t.fail() as never });
  const transaction = transactionOf();
  t.is(settled(gate, gate.beginPostmaster(transaction, { recorder: null, ready() {} }), transaction), '250');
});

test('the budget begins with the recipient, for both questions', async (t) => {
  const deadlines: number[] = [];
  const gate = gateWith({
    validate(request: Request) {
      deadlines.push(request.deadlineMs);
      return { kind: 'valid', source: 'server', server: '' };
    },
    locate(request: DeliveryRequest) {
      deadlines.push(request.deadlineMs);
      return locateAll(request);
    },
  });
  await ask(gate, 'known@example.com');
  t.deepEqual(deadlines, [1_000 + PROFILE.validationTimeoutMs, 1_000 + PROFILE.validationTimeoutMs]);
});

test('answers that come later are settled when both are there', async (t) => {
  const gate = gateWith({
    validate: async (request) => knows('known')(request),
    locate: async (request) => locateAll(request),
  });
  t.is(await ask(gate, 'known@example.com'), '250');
  t.is(await ask(gate, 'nobody@example.com'), '550 5.1.1 unknown ref1');
});

test('a question that is never answered is a time-out', (t) => {
  const reject = { ...PROFILE.actions, onValidationFailure: { kind: 'reject' } as const };
  const gate = gateWith({
    settings: { ...SETTINGS, profile: { ...PROFILE, actions: reject } },
    validate: () => new Promise<Verdict>(() => {}),
  });
  const transaction = transactionOf();
  const ticket = gate.begin(recipientOf('known@example.com'), transaction, { recorder: null, ready() {} });
  t.is(settled(gate, ticket, transaction), '451 4.4.2 failed-timeout session1');
});

test('a question that fails against its contract is a failure of ours', async (t) => {
  const reject = { ...PROFILE.actions, onValidationFailure: { kind: 'reject' } as const };
  const settings = { ...SETTINGS, profile: { ...PROFILE, actions: reject } };
  const gate = gateWith({ settings, validate: () => Promise.reject(new Error('bug')) });
  t.is(await ask(gate, 'known@example.com'), '451 4.5.0 failed-protocol session1');
});

test('a failure opens the door only to a recipient with a delivery host', async (t) => {
  const validate = (): Verdict => failed('connect', 'refused');
  const nowhere = (): DeliveryRouting => ({ kind: 'known', verdict: failed('dns', 'no answer') });
  t.is(await ask(gateWith({ validate }), 'known@example.com'), '250');
  t.is(await ask(gateWith({ validate, locate: () => ({ kind: 'discard' }) }), 'known@example.com'), '250');
  t.is(await ask(gateWith({ validate, locate: nowhere }), 'known@example.com'), '451 4.4.4 failed-connect session1');
  const validateOnly = { ...SETTINGS, relay: false };
  t.is(
    await ask(gateWith({ settings: validateOnly, validate, locate: nowhere }), 'known@example.com'),
    '451 4.4.4 failed-connect session1',
  );
});

test('a good recipient whose mail cannot be delivered anywhere is told why', async (t) => {
  const locate = (): DeliveryRouting => ({ kind: 'known', verdict: failed('dns', 'no answer') });
  t.is(await ask(gateWith({ locate }), 'known@example.com'), '451 4.4.3 failed-dns session1');
});

test('a monitored recipient whose domain takes no mail is told that, as if nobody had been asked', async (t) => {
  const reply = { code: 556, enhanced: '5.1.10', text: 'null MX' };
  const verdict: Verdict = { kind: 'unknown', source: 'routing', server: '', reply, ref: '' };
  const profile: Profile = { ...PROFILE, actions: { ...PROFILE.actions, mode: 'monitor' } };
  const options = { validate: () => verdict, locate: (): DeliveryRouting => ({ kind: 'known', verdict }) };
  const gate = gateWith({ settings: { ...SETTINGS, profile }, ...options });
  t.is(await ask(gate, 'known@example.com'), '556 5.1.10 unknown session1');
  const watching = gateWith({ settings: { ...SETTINGS, profile, relay: false }, ...options });
  t.is(await ask(watching, 'known@example.com'), '250');
});

test('one message has so many recipients, repeats included, and a refused one is none of them', async (t) => {
  const gate = gateWith({ settings: { ...SETTINGS, limits: { ...LIMITS, recipientsPerMessage: 2 } } });
  const transaction = transactionOf();
  t.is(await ask(gate, 'known@example.com', transaction), '250');
  t.is(await ask(gate, 'nobody@example.com', transaction), '550 5.1.1 unknown ref1');
  t.is(await ask(gate, 'known@example.com', transaction), '250');
  t.is(await ask(gate, 'known@example.com', transaction), '452 4.5.3 limit session1');
  t.is(transaction.recipients.length, 2);
});

test('the limit counts what was settled, not what was begun', (t) => {
  const gate = gateWith({ settings: { ...SETTINGS, limits: { ...LIMITS, recipientsPerMessage: 1 } } });
  const transaction = transactionOf();
  const options = { recorder: null, ready() {} };
  const bad = gate.begin(recipientOf('nobody@example.com'), transaction, options);
  const good = gate.begin(recipientOf('known@example.com'), transaction, options);
  const late = gate.begin(recipientOf('known@example.com'), transaction, options);
  t.is(settled(gate, bad, transaction), '550 5.1.1 unknown ref1');
  t.is(settled(gate, good, transaction), '250');
  t.is(settled(gate, late, transaction), '452 4.5.3 limit session1');
});

test('a transaction has one destination, and what is thrown away fits everywhere', async (t) => {
  const gate = gateWith({
    validate: () => ({ kind: 'valid', source: 'server', server: '' }),
    locate({ recipient }) {
      return recipient.local === 'sink' ? { kind: 'discard' } : deliveredTo(recipient.local, recipient);
    },
  });
  const transaction = transactionOf();
  t.is(await ask(gate, 'sink@example.com', transaction), '250');
  t.is(await ask(gate, 'one@example.com', transaction), '250');
  t.is(await ask(gate, 'two@example.com', transaction), '452 4.5.3 destination session1');
  t.is(await ask(gate, 'sink@example.com', transaction), '250');
  t.is(await ask(gate, 'one@example.com', transaction), '250');
  t.deepEqual(
    transaction.recipients.map((one) => one.local),
    ['one', 'one'],
  );
  t.is(transaction.route?.key, 'one');
});

test('a refused recipient does not set the destination', async (t) => {
  const gate = gateWith({ locate: ({ recipient }) => deliveredTo(recipient.local, recipient) });
  const transaction = transactionOf();
  await ask(gate, 'nobody@example.com', transaction);
  t.is(await ask(gate, 'known@example.com', transaction), '250');
});

test('what the delivery host said last time is told, masked, and to that sender only', async (t) => {
  const asked: string[] = [];
  const gate = gateWith({
    holds: {
      take(sender, recipient) {
        asked.push(`${sender} ${recipient}`);
        return { code: 552, enhanced: '5.2.2', text: 'mail7.internal: mailbox full' };
      },
    },
  });
  t.is(await ask(gate, 'known@example.com', transactionOf('s@client.example')), '552 5.2.2 refused session1');
  t.is(await ask(gate, 'free@example.com', transactionOf('')), '552 5.2.2 refused session1');
  t.is(await ask(gate, 'nobody@example.com', transactionOf('')), '550 5.1.1 unknown ref1');
  t.deepEqual(asked, ['s@client.example known@example.com', ' free@example.com', ' nobody@example.com']);
});

/** `own@example.com` has an entry with this profile. */
function withOwn(own: Profile, profile: ListenerSettings['profile'] = PROFILE): ListenerSettings {
  const recipientAccess: ListenerSettings['recipientAccess'] = {
    profiles: [own],
    decide(recipient) {
      const decision = ACCESS.decide(recipient);
      return decision.kind === 'accept' && recipient.local === 'own' ? { ...decision, profile: own } : decision;
    },
  };
  return { ...SETTINGS, profile, recipientAccess };
}

const OWN: Profile = { ...profileOf(null, 'own'), validationTimeoutMs: 2_000 };

test('the profile of an access entry is asked by, has its own budget, and is what the delivery falls back to', async (t) => {
  const seen: string[] = [];
  const note = ({ recipient, profile, deadlineMs }: DeliveryRequest): void => {
    seen.push(`${recipient.local} ${profile?.name} ${deadlineMs}`);
  };
  const gate = gateWith({
    settings: withOwn(OWN),
    validate(request) {
      note(request);
      return knows('own', 'known')(request);
    },
    locate(request) {
      note(request);
      return locateAll(request);
    },
  });
  await ask(gate, 'own@example.com');
  await ask(gate, 'known@example.com');
  t.deepEqual(seen, ['own own 3000', 'own own 3000', 'known corp 31000', 'known corp 31000']);
});

test('the actions of that profile decide', async (t) => {
  const onUnknown = { kind: 'reply', code: 553, enhanced: '5.1.1', text: 'Not with us', disconnect: false } as const;
  const gate = gateWith({ settings: withOwn({ ...OWN, actions: { ...OWN.actions, onUnknown } }) });
  t.is(await ask(gate, 'own@example.com'), '553 5.1.1 unknown ref1');
  t.is(await ask(gate, 'nobody@example.com'), '550 5.1.1 unknown ref1');
});

test('a listener without a profile asks for the entries that have one', async (t) => {
  const gate = gateWith({ settings: withOwn(OWN, null) });
  t.is(await ask(gate, 'own@example.com'), '550 5.1.1 unknown ref1');
  t.is(await ask(gate, 'nobody@example.com'), '250');
});

test('where nothing is relayed a delivery host is wanted only for a profile that may open on failure', async (t) => {
  const located: string[] = [];
  const closed: Profile = { ...OWN, actions: { ...OWN.actions, onValidationFailure: { kind: 'reject' } } };
  const gate = gateWith({
    settings: { ...withOwn(closed), relay: false },
    validate: knows('own', 'known'),
    locate(request) {
      located.push(request.recipient.local);
      return locateAll(request);
    },
  });
  await ask(gate, 'own@example.com');
  await ask(gate, 'known@example.com');
  t.deepEqual(located, ['known']);
});

test('a recipient is not asked about where it is the sender of any profile of the listener', async (t) => {
  const own = { ...OWN, probe: { ...OWN.probe, mailFrom: 'probe@example.com' } };
  const gate = gateWith({ settings: withOwn(own), validate: () => t.fail() as never });
  t.is(await ask(gate, 'probe@example.com'), '250');
});

test('who watches is told the entry that matched and whether anybody is asked', async (t) => {
  const steps: Step[] = [];
  const record = (step: Step): number => steps.push(step);
  const gate = gateWith();
  gate.begin(recipientOf('free@example.com'), transactionOf(), { recorder: record, ready() {} });
  gate.begin(recipientOf('known@elsewhere.example'), transactionOf(), { recorder: record, ready() {} });
  t.deepEqual(
    steps.map(({ stage, facts }) => ({ stage, ...facts })),
    [
      { stage: 'access', entry: 'example.com', action: 'accept', bypass: 'yes' },
      { stage: 'call-ahead', recipient: 'bypassed', profile: PROFILE.name },
      { stage: 'access', entry: 'none matches', action: 'reject', reply: '550 5.7.1 Relaying denied' },
    ],
  );
});

test('by LMTP a transaction has one recipient, which may be named again', async (t) => {
  const validate = knows('one', 'two');
  const gate = gateWith({ validate, locate: ({ recipient }) => deliveredTo('lmtp', recipient, 'lmtp') });
  const transaction = transactionOf();
  t.is(await ask(gate, 'one@example.com', transaction), '250');
  t.is(await ask(gate, 'two@example.com', transaction), '452 4.5.3 destination session1');
  t.is(await ask(gate, 'one@example.com', transaction), '250');
  t.is(await ask(gate, 'two@example.com'), '250', 'in the next transaction');
});
