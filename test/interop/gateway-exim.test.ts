import test from 'ava';
import { startExim } from '../support/exim.ts';
import { startGateway } from '../support/gateway.ts';
import { before } from '../support/gateway-settings.ts';
import { pipelined, smtpSource, swaks } from '../support/senders.ts';

const FROM = 'sender@client.example';
const USERS = ['anna@example.com', 'bert@example.com', 'carl@example.com', 'dora@example.com'];
const UNKNOWN = ['nobody@example.com', 'noone@example.com'];

for (const secondNullSenderRecipient of ['deny', 'drop'] as const) {
  const behaviour = secondNullSenderRecipient === 'deny' ? 'refuses' : 'hangs up at';

  test.serial(
    `the Exim that ${behaviour} a second null-sender recipient still has every recipient judged right`,
    async (t) => {
      const exim = await startExim({ users: USERS, secondNullSenderRecipient });
      t.teardown(() => exim.stop());
      const gateway = await startGateway(before(exim.at));
      t.teardown(() => gateway.stop());
      const [anna, bert, carl] = USERS as [string, string, string];
      const [nobody, noone] = UNKNOWN as [string, string];
      const recipients = [anna, nobody, bert, noone, carl];
      const sent = await swaks({ port: gateway.port('inbound'), from: FROM, recipients, subject: 'five' });
      t.deepEqual(
        sent.replies.map((reply) => reply.slice(0, 9)),
        ['250 2.1.5', '550 5.1.1', '250 2.1.5', '550 5.1.1', '250 2.1.5'],
        sent.dialogue,
      );
      t.true(sent.accepted, sent.dialogue);
      for (const user of [anna, bert, carl]) t.is((await exim.mail.wait(user, 1)).length, 1);
      t.deepEqual(await exim.mail.read('dora@example.com'), []);
    },
  );

  test.serial(`pipelined recipients reach the Exim that ${behaviour} a second null-sender recipient`, async (t) => {
    const exim = await startExim({ users: USERS, secondNullSenderRecipient });
    t.teardown(() => exim.stop());
    const gateway = await startGateway(before(exim.at));
    t.teardown(() => gateway.stop());
    const replies = await pipelined(gateway.port('inbound'), [...USERS, ...UNKNOWN, ...USERS]);
    t.deepEqual(replies, [...USERS.map(() => 250), ...UNKNOWN.map(() => 550), ...USERS.map(() => 250)]);
  });
}

test.serial('mail by smtp-source arrives at the user that Exim knows, and only there', async (t) => {
  const exim = await startExim({ users: USERS, secondNullSenderRecipient: 'deny' });
  t.teardown(() => exim.stop());
  const gateway = await startGateway(before(exim.at));
  t.teardown(() => gateway.stop());
  const port = gateway.port('inbound');
  const sent = await smtpSource({ port, from: FROM, recipient: 'bert@example.com', messages: 20, sessions: 4 });
  t.is(sent.code, 0, sent.output);
  t.is((await exim.mail.wait('bert@example.com', 20)).length, 20);
  const refused = await smtpSource({ port, from: FROM, recipient: 'nobody@example.com', messages: 1, sessions: 1 });
  t.regex(refused.output, /550 5\.1\.1/);
});
