/** A server that goes mad, before the whole gateway: what senders hear, what the server is asked, and how it ends. */
import type { Event } from '@callahead/core';
import test from 'ava';
import { openChain } from '../support/chain.ts';
import { until } from '../support/until.ts';

const CANARY = { valid: 'known@example.com', invalid: 'surely-not@example.com', interval: 10 };
const USERS = ['known@example.com', 'anna@example.com'];
const has = (events: readonly Event[], name: Event['event']): boolean => events.some(({ event }) => event === name);
const ask = (recipient: string, reply: string): string => `C: RCPT TO:<${recipient}>\nS: ${reply}\n`;

/** The server refuses everybody while `mad`. */
function madServer() {
  const state = { mad: true };
  const on = { RCPT: () => (state.mad ? '550 5.1.1 No such user' : null) };
  return { state, options: { users: USERS, on } };
}

test('while a server refuses whom it has to know, nobody is refused for what it says; then its rejections count again', async (t) => {
  const { state, options } = madServer();
  const chain = await openChain(t, {
    servers: [options],
    profile: { canary: CANARY, onValidationFailure: 'accept' },
    listener: { hostAccess: 'inbound' },
    sections: {
      hostAccess: {
        inbound: {
          senderGroups: [{ name: 'all', match: 'ALL', policy: 'accepted' }],
          policies: { accepted: { action: 'accept', maxInvalidRecipientsPerHour: 2 } },
        },
      },
    },
  });
  await until(() => has(chain.events, 'canary.failed'));
  const everybody = ['anna', 'nobody', 'nobody', 'no-one'].map((name) => ask(`${name}@example.com`, '250 2.1.5'));
  await chain.ask(everybody.join(''));
  const kinds = chain.events.flatMap((event) => (event.event === 'recipient.accepted' ? [event.kind] : []));
  t.deepEqual(kinds, ['failed', 'failed', 'failed', 'failed']);
  t.false(has(chain.events, 'dhap.blocked'), 'nobody is counted for it');

  await chain.gateway.reload();
  await chain.ask(ask('nobody@example.com', '250 2.1.5'));

  state.mad = false;
  await until(() => has(chain.events, 'canary.recovered'));
  // What was refused meanwhile is not remembered.
  await chain.ask(ask('anna@example.com', '250 2.1.5') + ask('nobody@example.com', '550 5.1.1'));
  const last = chain.events.filter((event) => event.event === 'recipient.accepted').at(-1);
  t.is(last?.kind, 'valid');

  const canaries = chain.servers[0]?.asked.filter((address) => /^(?:known@|surely-not-)/.test(address)) ?? [];
  t.is(new Set(canaries.filter((address) => address !== 'known@example.com')).size, 2, 'two rounds');
  t.true(canaries.length <= 8, canaries.join());
});

test('where failures are rejected, they are told to come back later', async (t) => {
  const { options } = madServer();
  const chain = await openChain(t, { servers: [options], profile: { canary: CANARY, onValidationFailure: 'reject' } });
  await until(() => has(chain.events, 'canary.failed'));
  t.regex(await chain.ask(ask('anna@example.com', '451 4.5.0')), /451 4\.5\.0/);
});

test('a server that accepts everybody is marked, and believed', async (t) => {
  const chain = await openChain(t, { servers: [{ on: { RCPT: () => '250 2.1.5 Ok' } }], profile: { canary: CANARY } });
  await until(() => has(chain.events, 'canary.catch-all'));
  t.false(has(chain.events, 'canary.failed'));
  await chain.ask(ask('whoever@example.com', '250 2.1.5'));
});

test('a server that is well is asked two recipients, and nothing is told', async (t) => {
  const chain = await openChain(t, { servers: [{ users: USERS }], profile: { canary: CANARY } });
  const [server] = chain.servers;
  await until(() => (server?.asked.length ?? 0) >= 2);
  await chain.ask(ask('anna@example.com', '250 2.1.5') + ask('nobody@example.com', '550 5.1.1'));
  t.false(chain.events.some(({ event }) => event.startsWith('canary.')));
});
