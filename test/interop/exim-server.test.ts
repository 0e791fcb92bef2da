import test from 'ava';
import { type Exim, startExim } from '../support/exim.ts';
import { swaks } from '../support/senders.ts';

const USERS = ['anna@example.com', 'bert@example.com'];

let exim: Exim;

test.before(async () => {
  exim = await startExim({ users: USERS, secondNullSenderRecipient: 'deny' });
});

test.after.always(() => exim?.stop());

test('Exim delivers to a user it knows and refuses one it does not', async (t) => {
  const sent = await swaks({
    port: exim.port,
    from: 'sender@client.example',
    recipients: ['anna@example.com', 'nobody@example.com'],
    subject: 'directly',
  });
  t.regex(sent.replies[0] ?? '', /^250 /);
  t.regex(sent.replies[1] ?? '', /^550 5\.1\.1 /);
  t.true(sent.accepted, sent.dialogue);
  const [message] = await exim.mail.wait('anna@example.com', 1);
  t.regex(message ?? '', /^Subject: directly$/m);
});

test('Exim refuses the second recipient of the null sender, though it knows it', async (t) => {
  const sent = await swaks({ port: exim.port, from: '', recipients: USERS, args: ['--quit-after', 'RCPT'] });
  t.regex(sent.replies[0] ?? '', /^250 /);
  t.regex(sent.replies[1] ?? '', /^550 only one recipient/);
});

test('with drop Exim hangs up at the second recipient of the null sender', async (t) => {
  const dropping = await startExim({ users: USERS, secondNullSenderRecipient: 'drop' });
  t.teardown(() => dropping.stop());
  const sent = await swaks({ port: dropping.port, from: '', recipients: [...USERS, 'nobody@example.com'] });
  t.is(sent.replies.length, 2, sent.dialogue);
  t.regex(sent.dialogue, /Remote host closed connection|connection closed/i);
});
