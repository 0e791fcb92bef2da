/** A real Postfix that wants TLS and a certificate of ours as the next hop, under the load of smtp-source. */
import test from 'ava';
import { temporaryFolder } from '../support/debian.ts';
import { type RunningGateway, startGateway } from '../support/gateway.ts';
import { before } from '../support/gateway-settings.ts';
import { createPostfixTls, type Postfix, startPostfix } from '../support/postfix.ts';
import { smtpSource, swaks } from '../support/senders.ts';

const FROM = 'sender@client.example';
const MESSAGES = 200;
const MAX_CONNECTIONS = 4;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let postfix: Postfix;
let gateway: RunningGateway;

test.before(async () => {
  folder = await temporaryFolder('postfix-relay');
  const { at, settings } = await createPostfixTls(folder.path);
  postfix = await startPostfix({
    users: ['anna@example.com', 'bert@example.com'],
    settings: {
      ...settings,
      smtpd_tls_req_ccert: 'yes',
      // More would be refused with a 421, and a message with it.
      smtpd_client_connection_count_limit: String(MAX_CONNECTIONS),
      smtpd_client_event_limit_exceptions: '',
    },
  });
  const tls = { mode: 'required', ca: at('ca.pem'), cert: at('ours.pem'), key: at('ours-key.pem') };
  const file = before(postfix.at);
  // Not called ahead: all connections are the relay's.
  const access = [{ match: ['example.com'], action: 'accept', bypassCallAhead: true }];
  gateway = await startGateway({
    ...file,
    recipientAccess: { inbound: access },
    delivery: { tls, maxConnectionsPerServer: MAX_CONNECTIONS },
  });
});

test.after.always(async () => {
  await Promise.allSettled([gateway?.stop(), postfix?.stop()]);
  await folder?.remove();
});

test.serial('a message by swaks is passed on over TLS to a Postfix that knows who we are', async (t) => {
  const sent = await swaks({
    port: gateway.port('inbound'),
    from: FROM,
    recipients: ['bert@example.com'],
    subject: 'over TLS',
  });
  t.true(sent.accepted, sent.dialogue);
  const [message = ''] = await postfix.mail.wait('bert@example.com', 1);
  t.regex(message, /^Subject: over TLS$/m);
  t.regex(await postfix.log(), /Trusted TLS connection established from .*TLSv1\.3/);
});

test.serial('a recipient that Postfix does not know is refused at DATA, in words of our own', async (t) => {
  const sent = await swaks({ port: gateway.port('inbound'), from: FROM, recipients: ['nobody@example.com'] });
  t.false(sent.accepted);
  t.regex(sent.dialogue, /<\*\* 550 5\.1\.1 /);
  t.notRegex(sent.dialogue, /postfix\.example/);
});

test.serial('twenty sessions of smtp-source share a few connections, and every message arrives once', async (t) => {
  const connectionsBefore = await connectionsOf(postfix);
  const sent = await smtpSource({
    port: gateway.port('inbound'),
    from: FROM,
    recipient: 'anna@example.com',
    messages: MESSAGES,
    sessions: 20,
  });
  t.is(sent.code, 0, sent.output);
  t.is((await postfix.mail.wait('anna@example.com', MESSAGES)).length, MESSAGES);
  const connections = (await connectionsOf(postfix)) - connectionsBefore;
  t.true(connections >= 1 && connections < MESSAGES / 4, `${connections} connections for ${MESSAGES} messages`);
  t.notRegex(await postfix.log(), /too many connections/i);
});

async function connectionsOf({ log }: Postfix): Promise<number> {
  return (await log()).match(/smtpd\[\d+\]: connect from /g)?.length ?? 0;
}
