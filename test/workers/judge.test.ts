import type { Reply } from '@callahead/core';
import test from 'ava';
import {
  type Circumstances,
  doubt,
  judgeRecipient,
  judgeServer,
  type Meaning,
} from '../../packages/workers/src/judge.ts';

function reply(text: string): Reply {
  const [code, enhanced] = text.split(' ');
  return { code: Number(code), enhanced: enhanced ?? null, text: 'words' };
}

test('a server that refuses us has said nothing about a recipient', (t) => {
  t.is(judgeServer('greeting', reply('220')), null);
  t.is(judgeServer('hello', reply('250')), null);
  t.is(judgeServer('mail', reply('250 2.1.0')), null);
  t.like(judgeServer('greeting', reply('554 5.7.1')), { kind: 'failed', cause: 'greeting' });
  t.like(judgeServer('greeting', reply('521')), { kind: 'failed', cause: 'greeting' });
  t.like(judgeServer('hello', reply('550 5.7.1')), { kind: 'failed', cause: 'policy' });
  t.like(judgeServer('mail', reply('550 5.1.1')), { kind: 'failed', cause: 'policy' });
  t.like(judgeServer('mail', reply('530 5.7.0')), { kind: 'failed', cause: 'policy' });
  for (const stage of ['greeting', 'hello', 'mail'] as const) {
    t.like(judgeServer(stage, reply('421 4.3.2')), { kind: 'temporary' }, stage);
    t.like(judgeServer(stage, reply('451')), { kind: 'temporary' }, stage);
    t.like(judgeServer(stage, reply('354')), { kind: 'failed', cause: 'protocol' }, stage);
    t.like(judgeServer(stage, reply('150')), { kind: 'failed', cause: 'protocol' }, stage);
  }
});

/** SPEC 4.1, 4.3 and 4.4: the reply, its meaning on the first RCPT of a transaction, and on a later one where that differs. */
const rows: readonly (readonly [string, Meaning, Meaning?])[] = [
  ['250', 'valid'],
  ['250 2.1.5', 'valid'],
  ['251', 'valid'],
  ['252', 'valid'],
  ['550 5.1.1', 'unknown'],
  ['553 5.1.1', 'unknown'],
  ['554 5.1.2', 'unknown'],
  ['501 5.1.3', 'unknown'],
  ['503 5.1.1', 'unknown'],
  ['551 5.1.6', 'unknown'],
  ['556 5.1.10', 'unknown'],
  ['550', 'unknown'],
  ['551', 'unknown'],
  ['556', 'unknown'],
  ['550 5.1.0', 'refused'],
  ['550 5.7.1', 'refused'],
  ['550 5.2.1', 'refused'],
  ['551 5.7.1', 'refused'],
  ['556 5.7.27', 'refused'],
  ['552 5.2.2', 'refused'],
  ['553', 'refused'],
  ['554', 'refused'],
  ['554 5.7.1', 'refused'],
  ['501', 'refused'],
  ['599', 'refused'],
  ['550 5.1.7', 'sender'],
  ['553 5.1.8', 'sender'],
  ['450 4.1.7', 'sender'],
  ['451 4.1.8', 'sender'],
  ['500', 'protocol'],
  ['500 5.5.2', 'protocol'],
  ['502', 'protocol'],
  ['503', 'protocol'],
  ['503 5.5.1', 'protocol'],
  ['504', 'protocol'],
  ['521', 'protocol'],
  ['530 5.7.0', 'protocol'],
  ['534', 'protocol'],
  ['535', 'protocol'],
  ['538', 'protocol'],
  ['555', 'protocol'],
  ['501 5.5.4', 'protocol'],
  ['354', 'protocol'],
  ['150', 'protocol'],
  ['450', 'temporary'],
  ['450 4.2.0', 'temporary'],
  ['451 4.7.1', 'temporary'],
  ['450 4.1.1', 'temporary'],
  ['452 4.2.2', 'temporary'],
  ['421', 'leaving'],
  ['421 4.1.8', 'leaving'],
  ['452', 'temporary', 'enough'],
  ['452 4.5.3', 'temporary', 'enough'],
  ['552', 'refused', 'enough'],
  ['552 5.5.3', 'refused', 'enough'],
];

for (const [text, first, later = first] of rows) {
  test(`${text} to the first RCPT of a transaction is ${first}, to a later one ${later}`, (t) => {
    t.is(judgeRecipient(reply(text), true, []), first);
    t.is(judgeRecipient(reply(text), false, []), later);
  });
}

test('the operator may list more codes that mean unknown, basic or enhanced', (t) => {
  t.is(judgeRecipient(reply('550 5.4.1'), true, []), 'refused');
  t.is(judgeRecipient(reply('550 5.4.1'), true, ['5.4.1']), 'unknown');
  t.is(judgeRecipient(reply('554 5.7.1'), true, ['554']), 'unknown');
  t.is(judgeRecipient(reply('521'), true, ['521']), 'unknown');
  t.is(judgeRecipient(reply('550 5.1.8'), true, ['550']), 'sender');
  t.is(judgeRecipient(reply('450 4.1.1'), true, ['450', '4.1.1']), 'temporary');
});

const plain: Circumstances = {
  closedBehind: false,
  alone: false,
  acceptedBefore: false,
  sender: '',
  sharedIsSafe: false,
};

const doubts: readonly (readonly [string, Partial<Circumstances>, ReturnType<typeof doubt>])[] = [
  ['nothing special', {}, null],
  ['a close behind it', { closedBehind: true }, 'closed'],
  [
    'a close behind it, from a server that answers shared transactions truly',
    { closedBehind: true, sharedIsSafe: true },
    'closed',
  ],
  ['a close behind the only RCPT of a session', { closedBehind: true, alone: true }, null],
  ['an accepted one before it, from <>', { acceptedBefore: true }, 'shared'],
  [
    'an accepted one before it, from postmaster',
    { acceptedBefore: true, sender: 'Postmaster@gateway.example' },
    'shared',
  ],
  ['an accepted one before it, from somebody', { acceptedBefore: true, sender: 'gw@gateway.example' }, null],
  [
    'an accepted one before it, from <>, on a server that answers truly',
    { acceptedBefore: true, sharedIsSafe: true },
    null,
  ],
];

for (const [title, circumstances, expected] of doubts) {
  test(`a 5xx to RCPT with ${title} ${expected === null ? 'is believed' : 'is asked again'}`, (t) => {
    t.is(doubt({ ...plain, ...circumstances }), expected);
  });
}
