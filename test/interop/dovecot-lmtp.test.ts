import test from 'ava';
import { type Dovecot, startDovecot } from '../support/dovecot.ts';
import { startGateway } from '../support/gateway.ts';
import { before } from '../support/gateway-settings.ts';
import { pipelined, swaks } from '../support/senders.ts';

const FROM = 'sender@client.example';
const USERS = ['anna@example.com', 'bert@example.com', 'carl@example.com'] as const;

let dovecot: Dovecot;

test.before(async () => {
  dovecot = await startDovecot({ users: USERS });
});

test.after.always(() => dovecot?.stop());

for (const [way, user] of [
  ['TCP', USERS[0]],
  ['a unix socket', USERS[1]],
] as const) {
  test.serial(`Dovecot is asked and delivered to by LMTP over ${way}`, async (t) => {
    const gateway = await startGateway(before(way === 'TCP' ? dovecot.at : dovecot.socket, { protocol: 'lmtp' }));
    t.teardown(() => gateway.stop());
    const port = gateway.port('inbound');
    const recipients = ['nobody@example.com', user];
    const sent = await swaks({ port, from: FROM, recipients, subject: `over ${way}` });
    t.deepEqual(
      sent.replies.map((reply) => reply.slice(0, 9)),
      ['550 5.1.1', '250 2.1.5'],
      sent.dialogue,
    );
    t.true(sent.accepted, sent.dialogue);
    const [message] = await dovecot.mail.wait(user, 1);
    t.regex(message ?? '', new RegExp(`^Subject: over ${way}\r?$`, 'm'));
    t.regex(message ?? '', /^Delivered-To: /m);
    t.regex((await gateway.logged((line) => line.msg.startsWith('reject '))).msg, /reason=unknown/);
  });
}

test.serial('many recipients are asked about in one write, and one of them is in the transaction', async (t) => {
  const gateway = await startGateway(before(dovecot.at, { protocol: 'lmtp' }));
  t.teardown(() => gateway.stop());
  const unknown = Array.from({ length: 6 }, (_, i) => `nobody${i}@example.com`);
  const replies = await pipelined(gateway.port('inbound'), [...unknown, ...USERS, USERS[0]]);
  t.deepEqual(replies, [...unknown.map(() => 550), 250, 452, 452, 250]);
});

test.serial('a Dovecot that is gone is no unknown user', async (t) => {
  const other = await startDovecot({ users: USERS });
  t.teardown(() => other.stop());
  const gateway = await startGateway(before(other.socket, { protocol: 'lmtp', validationTimeout: 3 }));
  t.teardown(() => gateway.stop());
  t.deepEqual(await pipelined(gateway.port('inbound'), [USERS[0]]), [250]);
  await other.stop();
  t.deepEqual(await pipelined(gateway.port('inbound'), [USERS[1]]), [451]);
});
