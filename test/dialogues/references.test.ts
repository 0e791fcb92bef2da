/** What was said about whom is found again in the log, by the references that senders are shown. */
import type { Event } from '@callahead/core';
import test from 'ava';
import { openChain } from '../support/chain.ts';

type Rejected = Extract<Event, Readonly<{ event: 'recipient.rejected' }>>;
type Dialogue = Extract<Event, Readonly<{ event: 'probe.dialogue' }>>;

const rejected = (events: readonly Event[]): readonly Rejected[] =>
  events.filter((event) => event.event === 'recipient.rejected');
const dialogues = (events: readonly Event[]): readonly Dialogue[] =>
  events.filter((event) => event.event === 'probe.dialogue');

test('every question whose answer is not valid is told once, and each refusal leads to it', async (t) => {
  const chain = await openChain(t, {
    servers: [
      {
        users: ['known@example.com'],
        on: { RCPT: ({ address }) => (address === 'later@example.com' ? '451 4.3.0 Later' : null) },
      },
    ],
  });
  await chain.ask(`
    C: RCPT TO:<known@example.com>
    S: 250*
    C: RCPT TO:<nobody@example.com>
    S: 550*
    C: RCPT TO:<later@example.com>
    S: 451*
    C: RCPT TO:<someone@elsewhere.example>
    S: 550 5.7.1
  `);
  const [unknown, temporary, unasked] = rejected(chain.events);
  const told = dialogues(chain.events);
  t.deepEqual(
    told.map(({ ref, recipient }) => [ref, recipient]),
    [
      [unknown?.ref, 'nobody@example.com'],
      [temporary?.ref, 'later@example.com'],
    ],
  );
  t.true(told[0]?.lines.includes('S: 550 5.1.1 No such user'));
  t.true(told[1]?.lines.includes('S: 451 4.3.0 Later'));
  // Nobody was asked: it is the session that leads on.
  t.is(unasked?.ref, unasked?.session);
  t.true(chain.events.some((event) => event.event === 'session.opened' && event.session === unasked?.ref));
});

test('a refusal from the cache carries the reference of the question that made it, and nothing is told twice', async (t) => {
  const chain = await openChain(t);
  const refusal = 'C: RCPT TO:<nobody@example.com>\nS: 550*\n';
  await chain.ask(refusal);
  await chain.ask(`${refusal}${refusal}`);
  const refs = rejected(chain.events).map(({ ref, source }) => [ref, source]);
  const [ref] = refs[0] ?? [];
  t.deepEqual(refs, [
    [ref, 'server'],
    [ref, 'cache'],
    [ref, 'cache'],
  ]);
  t.deepEqual(
    dialogues(chain.events).map((dialogue) => dialogue.ref),
    [ref],
  );
});

test('a recipient that is accepted though nobody could say anything leads to what was tried', async (t) => {
  const chain = await openChain(t, {
    servers: [{ on: { MAIL: () => '550 5.7.1 Go away' } }],
    profile: { onValidationFailure: 'accept' },
  });
  await chain.ask('C: RCPT TO:<known@example.com>\nS: 250*\n');
  const accepted = chain.events.find((event) => event.event === 'recipient.accepted');
  t.is(accepted?.kind, 'failed');
  const [told] = dialogues(chain.events);
  t.is(told?.ref, accepted?.ref);
  t.true(told?.lines.includes('S: 550 5.7.1 Go away'));
});
