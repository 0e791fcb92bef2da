import test from 'ava';
import { type Postfix, startPostfix } from '../support/postfix.ts';
import { smtpSource, swaks } from '../support/senders.ts';

let postfix: Postfix;

test.before(async () => {
  postfix = await startPostfix({ users: ['anna@example.com', 'bert@example.com'] });
});

test.after.always(() => postfix?.stop());

test('Postfix delivers to a user it knows and refuses one it does not', async (t) => {
  const sent = await swaks({
    port: postfix.port,
    from: 'sender@client.example',
    recipients: ['anna@example.com', 'nobody@example.com'],
    subject: 'directly',
  });
  t.regex(sent.replies[0] ?? '', /^250 2\.1\.5 /);
  t.regex(sent.replies[1] ?? '', /^550 5\.1\.1 /);
  t.true(sent.accepted, sent.dialogue);
  const [message] = await postfix.mail.wait('anna@example.com', 1);
  t.regex(message ?? '', /^Subject: directly$/m);
});

test('Postfix refuses a domain that is not its own', async (t) => {
  const sent = await swaks({ port: postfix.port, from: '', recipients: ['anna@elsewhere.example'] });
  t.regex(sent.replies[0] ?? '', /^454 4\.7\.1 |^554 5\.7\.1 /);
  t.false(sent.accepted);
});

test('smtp-source gets its messages to Postfix over several sessions', async (t) => {
  const sent = await smtpSource({
    port: postfix.port,
    from: 'sender@client.example',
    recipient: 'bert@example.com',
    messages: 6,
    sessions: 3,
  });
  t.is(sent.code, 0, sent.output);
  t.is((await postfix.mail.wait('bert@example.com', 6)).length, 6);
});
