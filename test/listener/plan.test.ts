import { EVERYBODY, type Policy } from '@callahead/core';
import test from 'ava';
import { createGate } from '../../packages/listener/src/gate.ts';
import { openTransaction, type Transaction } from '../../packages/listener/src/incoming.ts';
import { createPlanner } from '../../packages/listener/src/plan.ts';
import { deliveredTo, frontDoorSettings, knows } from '../support/front-door.ts';
import { policyOf } from '../support/hosts.ts';
import { recipientOf } from '../support/recipients.ts';

const now = (): number => 1_000;

function transactionOf(policy: Partial<Policy>, accepted = 0): Transaction {
  const admission = { ...EVERYBODY, policy: policyOf('some', policy) };
  const transaction = openTransaction({ address: '192.0.2.9', admission }, { sender: 'a@client.example' });
  return { ...transaction, accepted };
}

function planFor(address: string, policy: Partial<Policy>, type: 'public' | 'private' = 'public') {
  const planner = createPlanner({ settings: frontDoorSettings({ type }), harvest: null, usage: null, now });
  return planner.plan(recipientOf(address), transactionOf(policy), null);
}

test('a policy decides who is asked about', (t) => {
  t.is(planFor('ann@example.com', {}).check.kind, 'asked');
  t.is(planFor('free@example.com', {}).check.kind, 'bypassed');
  t.is(planFor('ann@example.com', { bypassCallAhead: true }).check.kind, 'bypassed');
  t.is(planFor('ann@example.com', { action: 'relay' }).check.kind, 'relayed');
  t.like(planFor('ann@elsewhere.example', { bypassCallAhead: true }).check, { kind: 'refused', reason: 'access' });
});

test('what a relay sender writes to others than ours has no profile, whose servers would not take it', (t) => {
  t.like(planFor('ann@elsewhere.example', { action: 'relay' }), { check: { kind: 'relayed' }, profile: null });
  t.truthy(planFor('ann@example.com', { action: 'relay' }).profile);
});

test('on a private listener only relay senders get anywhere, whatever limits they have', (t) => {
  const refused = planFor('ann@example.com', { maxRecipientsPerMessage: 0 }, 'private').check;
  t.like(refused, { kind: 'refused', reason: 'private', reply: { code: 550, enhanced: '5.7.1' } });
  t.is(planFor('ann@example.com', { action: 'relay' }, 'private').check.kind, 'relayed');
});

test('a relay sender is told too what the delivery host said of its last message', (t) => {
  const held = { code: 552, enhanced: '5.2.2', text: 'Mailbox full' };
  const gate = createGate({
    settings: frontDoorSettings(),
    validate: knows(),
    locate: ({ recipient }) => deliveredTo('elsewhere', recipient),
    holds: { take: () => held },
    harvest: null,
    usage: null,
    now,
  });
  const transaction = transactionOf({ action: 'relay' });
  const ticket = gate.begin(recipientOf('ann@elsewhere.example'), transaction, { recorder: null, ready: () => {} });
  t.like(gate.settle(ticket, transaction, 'session1'), { kind: 'reject', reply: { code: 552, enhanced: '5.2.2' } });
});

test('only recipients of a policy with a limit by the hour are counted', (t) => {
  const counted: string[] = [];
  const usage = { hasRoom: () => true, accepted: (client: string) => void counted.push(client) };
  const settings = frontDoorSettings({ relay: false });
  const gate = createGate({
    settings,
    validate: knows('known'),
    locate: ({ recipient }) => deliveredTo('elsewhere', recipient),
    holds: null,
    harvest: null,
    usage,
    now,
  });
  for (const [address, most] of [
    ['known@example.com', null],
    ['known@example.com', 5],
    ['nobody@example.com', 5],
  ] as const) {
    const transaction = transactionOf({ maxRecipientsPerHour: most });
    const ticket = gate.begin(recipientOf(address), transaction, { recorder: null, ready: () => {} });
    gate.settle(ticket, transaction, 'session1');
  }
  t.deepEqual(counted, ['192.0.2.9']);
});
