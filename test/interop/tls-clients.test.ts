import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createCertificates } from '../support/certificates.ts';
import { finish, program, temporaryFolder } from '../support/debian.ts';
import { type RunningGateway, startGateway } from '../support/gateway.ts';
import { before } from '../support/gateway-settings.ts';
import { swaks } from '../support/senders.ts';

type Secure = Readonly<{ gateway: RunningGateway; ca: string; folder: string }>;

/** A gateway with a listener for each way to TLS. Its recipients are not asked about, and mail is not taken. */
async function startSecureGateway(t: ExecutionContext): Promise<Secure> {
  const folder = await temporaryFolder('tls-clients');
  t.teardown(() => folder.remove());
  const { ca, cert, key } = await createCertificates(folder.path, ['mx.gateway.example', '127.0.0.1']);
  const settings = before('127.0.0.1:1');
  const listener = (mode: string) => ({
    ...{ type: 'public', listen: ['127.0.0.1:0'], recipientAccess: 'inbound', relay: false },
    tls: { mode, cert, key },
  });
  settings.listeners.starttls = listener('optional');
  settings.listeners.required = { ...listener('required'), proxyProtocol: { trusted: '127.0.0.1' } };
  settings.listeners.smtps = listener('implicit');
  const gateway = await startGateway({ ...settings, log: { level: 'debug' } });
  t.teardown(() => gateway.stop());
  return { gateway, ca, folder: folder.path };
}

test('openssl, swaks and Postfix speak TLS with the gateway', async (t) => {
  const { gateway, ca, folder } = await startSecureGateway(t);
  const dial = (listener: string, ...args: readonly string[]) =>
    finish(
      program('openssl'),
      [
        ...['s_client', '-connect', `127.0.0.1:${gateway.port(listener)}`, '-quiet', '-ign_eof'],
        ...['-CAfile', ca, '-verify_return_error', '-verify_hostname', 'mx.gateway.example', ...args],
      ],
      20_000,
      'QUIT\r\n',
    );

  t.regex((await dial('starttls', '-starttls', 'smtp')).output, /^221 2\.0\.0/m);
  t.regex((await dial('starttls', '-starttls', 'smtp', '-tls1_2')).output, /^221 2\.0\.0/m);
  t.not((await dial('starttls', '-starttls', 'smtp', '-tls1_1', '-cipher', 'DEFAULT@SECLEVEL=0')).code, 0);

  const to = { from: 'sender@client.example', recipients: ['known@example.com'] };
  const recipients = async (listener: string, ...args: readonly string[]) =>
    (await swaks({ ...to, port: gateway.port(listener), args: ['--quit-after', 'RCPT', ...args] })).dialogue;
  t.regex(await recipients('starttls', '--tls'), /TLS started[\s\S]*<~ {2}250 2\.1\.5/);
  t.regex(await recipients('smtps', '--tls-on-connect'), /TLS started[\s\S]*<~ {2}250 2\.1\.5/);
  const ports = ['--proxy-source-port', '40000', '--proxy-dest-port', '25'];
  const addresses = [...ports, '--proxy-source', '203.0.113.7', '--proxy-dest', '192.0.2.25'];
  for (const [version, family] of [['1', 'TCP4'] as const, ['2', 'AF_INET'] as const]) {
    const proxy = ['--proxy-version', version, '--proxy-family', family, ...addresses];
    t.regex(await recipients('required', ...proxy), /<\*\* 530 5\.7\.0/);
    t.regex(await recipients('required', ...proxy, '--tls'), /<~ {2}250 2\.1\.5/);
  }
  t.is(
    (await gateway.logged((line) => line.event === 'recipient.accepted' && line.listener === 'required')).client,
    '203.0.113.7',
  );

  await writeFile(join(folder, 'main.cf'), 'compatibility_level = 3.6\n');
  const finger = await finish('/usr/bin/env', [
    ...[`MAIL_CONFIG=${folder}`, program('posttls-finger'), '-c', '-l', 'secure', '-F', ca],
    ...[`[127.0.0.1]:${gateway.port('starttls')}`, 'mx.gateway.example'],
  ]);
  t.regex(finger.output, /Verified TLS connection established to 127\.0\.0\.1\S*: TLSv1\.3/);
});
