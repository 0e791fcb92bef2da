/** A real Postfix that wants TLS, and one that wants a certificate of its client too, asked by the gateway as an operator runs it. */
import test, { type ExecutionContext } from 'ava';
import { temporaryFolder } from '../support/debian.ts';
import { play } from '../support/dialogue.ts';
import { type LogLine, type RunningGateway, startGateway } from '../support/gateway.ts';
import { before } from '../support/gateway-settings.ts';
import { createPostfixTls, type Postfix, startPostfix } from '../support/postfix.ts';

const profiles = {
  required: { mode: 'required', ca: 'ca.pem' },
  identified: { mode: 'required', ca: 'ca.pem', cert: 'ours.pem', key: 'ours-key.pem' },
  believing: { mode: 'required' },
  old: { mode: 'required', ca: 'ca.pem', maxVersion: 'TLSv1.2' },
  optional: { mode: 'optional' },
  off: { mode: 'off' },
} as const;
type Profile = keyof typeof profiles;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let encrypting: Postfix;
let identifying: Postfix;
let gateway: RunningGateway;

test.before(async () => {
  folder = await temporaryFolder('postfix-tls');
  const { at, settings } = await createPostfixTls(folder.path);
  const users = ['anna@example.com'];
  encrypting = await startPostfix({ users, settings });
  identifying = await startPostfix({ users, settings: { ...settings, smtpd_tls_req_ccert: 'yes' } });
  gateway = await startGateway(fileFor({ encrypting, identifying }, at));
});

/** A listener and a profile for each server and each way to talk to it. */
function fileFor(servers: Readonly<Record<string, Postfix>>, at: (name: string) => string): unknown {
  const file = before(encrypting.at);
  for (const [server, { at: address }] of Object.entries(servers)) {
    for (const [name, { ...tls }] of Object.entries<Record<string, string>>(profiles)) {
      for (const key of ['ca', 'cert', 'key']) if (tls[key] !== undefined) tls[key] = at(tls[key]);
      const both = `${server}-${name}`;
      file.callAheadProfiles[both] = { ...file.callAheadProfiles.mailboxes, servers: address, tls };
      file.listeners[both] = { ...file.listeners.inbound, callAheadProfile: both };
    }
  }
  return file;
}

test.after.always(async () => {
  await Promise.allSettled([gateway?.stop(), encrypting?.stop(), identifying?.stop()]);
  await folder?.remove();
});

async function ask(t: ExecutionContext, server: 'encrypting' | 'identifying', profile: Profile, ...hears: string[]) {
  await t.notThrowsAsync(
    play(
      gateway.port(`${server}-${profile}`),
      `
    S: 220
    C: EHLO client.example
    S: 250*
    C: MAIL FROM:<sender@client.example>
    S: 250 2.1.0
    C: RCPT TO:<anna@example.com>
    C: RCPT TO:<nobody@example.com>
    ${hears.map((hear) => `S: ${hear}`).join('\n')}
  `,
    ),
  );
}

const ANSWERS = ['250 2.1.5', '550 5.1.1'];
const FAILED = ['451 4.7.5', '451 4.7.5'];

for (const profile of ['required', 'identified', 'old', 'optional'] as const) {
  test(`Postfix with smtpd_tls_security_level=encrypt answers: ${profile}`, async (t) => {
    await ask(t, 'encrypting', profile, ...ANSWERS);
  });
}

test('Postfix without a certificate that we believe is not asked', (t) => ask(t, 'encrypting', 'believing', ...FAILED));

test('Postfix that wants TLS and is talked to without says 530, which is about us', async (t) => {
  await ask(t, 'encrypting', 'off', '451 4.5.0', '451 4.5.0');
  t.truthy(await saidBy('S: 530 5.7.0 '));
});

test('Postfix with smtpd_tls_req_ccert answers who has a certificate', async (t) => {
  await ask(t, 'identifying', 'identified', ...ANSWERS);
  t.regex(await identifying.log(), /Trusted TLS connection established from .*TLSv1\.3/);
});

for (const profile of ['required', 'old', 'optional'] as const) {
  // Postfix lets the handshake pass and then says 421: that is a temporary answer of the server, not a failure of TLS.
  test(`Postfix with smtpd_tls_req_ccert answers nobody else: ${profile}`, async (t) => {
    await ask(t, 'identifying', profile, '451 4.7.1', '451 4.7.1');
    t.truthy(await saidBy('S: 421 4.7.1 postfix.example Error: No client certificate presented'));
  });
}

/** The logged dialogue that has a line which begins so. */
function saidBy(beginning: string): Promise<LogLine> {
  return gateway.logged(
    ({ event, lines }) => event === 'probe.dialogue' && (lines as string[]).some((line) => line.startsWith(beginning)),
  );
}
