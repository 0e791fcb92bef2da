import test from 'ava';
import { createTransport } from 'nodemailer';
import { type LogLine, type RunningGateway, startGateway } from '../support/gateway.ts';
import { before } from '../support/gateway-settings.ts';
import { type Postfix, startPostfix } from '../support/postfix.ts';
import { smtpSource, swaks } from '../support/senders.ts';

const FROM = 'sender@client.example';

let postfix: Postfix;
let gateway: RunningGateway;
let port: number;

test.before(async () => {
  postfix = await startPostfix({
    users: ['anna', 'bert', 'carl', 'dora', 'emil', 'frida'].map((name) => `${name}@example.com`),
  });
  gateway = await startGateway(before(postfix.at));
  port = gateway.port('inbound');
});

test.after.always(async () => {
  try {
    await gateway?.stop();
  } finally {
    await postfix?.stop();
  }
});

test('a message by swaks arrives at the recipient that Postfix knows, and the other one is refused', async (t) => {
  const sent = await swaks({
    port,
    from: FROM,
    recipients: ['anna@example.com', 'nobody@example.com'],
    subject: 'through',
  });
  t.regex(sent.replies[0] ?? '', /^250 2\.1\.5 /);
  t.regex(sent.replies[1] ?? '', /^550 5\.1\.1 /);
  t.true(sent.accepted, sent.dialogue);
  const [message] = await postfix.mail.wait('anna@example.com', 1);
  t.regex(message ?? '', /^Subject: through$/m);
  t.regex(message ?? '', /^Received: .*\n?.*by mx\.gateway\.example/m);
});

test('a message whose only recipient Postfix does not know is not sent', async (t) => {
  const sent = await swaks({ port, from: FROM, recipients: ['noone@example.com'], subject: 'never sent' });
  t.regex(sent.replies[0] ?? '', /^550 5\.1\.1 /);
  t.false(sent.accepted, sent.dialogue);
  t.notRegex(await postfix.log(), /to=<noone@example\.com>, relay=/);
});

test('Postfix is asked about a domain of ours only', async (t) => {
  const sent = await swaks({ port, from: FROM, recipients: ['anna@elsewhere.example'] });
  t.regex(sent.replies[0] ?? '', /^550 5\.7\.1 /);
  t.notRegex(await postfix.log(), /elsewhere\.example/);
});

test('a second question about the same recipient is answered from the cache, and the mail still arrives', async (t) => {
  for (const subject of ['first', 'second']) {
    const sent = await swaks({ port, from: FROM, recipients: ['carl@example.com'], subject });
    t.true(sent.accepted, sent.dialogue);
  }
  await postfix.mail.wait('carl@example.com', 2);
  const accepted = (source: string) => (line: LogLine) =>
    line.event === 'recipient.accepted' && line.recipient === 'carl@example.com' && line.source === source;
  await gateway.logged(accepted('cache'));
  t.is(gateway.log.filter(accepted('server')).length, 1);
});

test('smtp-source sends many messages over parallel sessions and each arrives once', async (t) => {
  const sent = await smtpSource({ port, from: FROM, recipient: 'bert@example.com', messages: 40, sessions: 8 });
  t.is(sent.code, 0, sent.output);
  t.is((await postfix.mail.wait('bert@example.com', 40)).length, 40);
});

test('smtp-source is refused a recipient that Postfix does not know', async (t) => {
  const sent = await smtpSource({ port, from: FROM, recipient: 'ghost@example.com', messages: 1, sessions: 1 });
  t.not(sent.code, 0);
  t.regex(sent.output, /550 5\.1\.1/);
});

test('the null sender gets its message through', async (t) => {
  const sent = await swaks({ port, from: '', recipients: ['dora@example.com'], subject: 'a bounce' });
  t.true(sent.accepted, sent.dialogue);
  const [message] = await postfix.mail.wait('dora@example.com', 1);
  t.regex(message ?? '', /^Return-Path: <>$/m);
});

test('the body of a message by nodemailer arrives octet for octet, dots and 8-bit text too', async (t) => {
  const body = '.\r\n..two dots\r\nGrüße\r\n\r\n.\r\nthe end\r\n';
  const transport = createTransport({ host: '127.0.0.1', port, secure: false });
  t.teardown(() => transport.close());
  const sent = await transport.sendMail({
    envelope: { from: FROM, to: ['emil@example.com', 'nobody@example.com', 'frida@example.com'], use8BitMime: true },
    raw: `Subject: as it came\r\n\r\n${body}`,
  });
  t.deepEqual(sent.accepted, ['emil@example.com', 'frida@example.com']);
  t.deepEqual(sent.rejected, ['nobody@example.com']);
  for (const user of ['emil@example.com', 'frida@example.com']) {
    const [message = ''] = await postfix.mail.wait(user, 1);
    t.is(message.slice(message.indexOf('\n\n') + 2), body.replaceAll('\r\n', '\n'));
  }
});
