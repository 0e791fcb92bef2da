import { X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { type Certificate, createCertificate } from '../support/certificates.ts';
import { temporaryFolder } from '../support/debian.ts';
import { type Client, openSession } from '../support/dialogue.ts';
import { startFakeServer } from '../support/fake-server.ts';
import { type RunningGateway, startGateway } from '../support/gateway.ts';
import { before } from '../support/gateway-settings.ts';
import { connectSecurely, secured } from '../support/tls-client.ts';

type Renewable = Readonly<{ gateway: RunningGateway; write(cert: string, key: string): Promise<void> }>;

/** A gateway with STARTTLS on one listener and TLS from the first octet on another, of one certificate in two files. */
async function serve(t: ExecutionContext, first: Certificate): Promise<Renewable> {
  const folder = await temporaryFolder('renewal');
  t.teardown(folder.remove);
  const files = { cert: join(folder.path, 'cert.pem'), key: join(folder.path, 'key.pem') };
  const write = async (cert: string, key: string): Promise<void> => {
    await Promise.all([writeFile(files.cert, cert), writeFile(files.key, key)]);
  };
  await write(first.cert, first.key);
  const server = await startFakeServer({ users: ['known@example.com'] });
  t.teardown(server.stop);
  const file = before(server.at);
  const { inbound } = file.listeners;
  file.listeners = {
    inbound: { ...inbound, tls: { mode: 'optional', ...files } },
    implicit: { ...inbound, tls: { mode: 'implicit', ...files } },
  };
  const gateway = await startGateway(file);
  t.teardown(gateway.kill);
  return { gateway, write };
}

/** The certificates that new clients of the two listeners are shown. */
async function shown(t: ExecutionContext, { gateway }: Renewable): Promise<readonly string[]> {
  const plain = await openSession(t, gateway.port('inbound'), 'EHLO client.example');
  const clients = [await secured(plain), await connectSecurely(gateway.port('implicit'))];
  return clients.map((client) => {
    t.teardown(client.close);
    return serialOf(client);
  });
}

function serialOf({ socket }: Client): string {
  return (socket as TLSSocket).getPeerCertificate().serialNumber;
}

function serial({ cert }: Certificate): string {
  return new X509Certificate(cert).serialNumber;
}

const first = createCertificate({ names: ['mx.gateway.example'] });
const second = createCertificate({ names: ['mx.gateway.example'] });

test.serial(
  'SIGHUP reads certificates again: new handshakes have the new one, and encrypted sessions go on',
  async (t) => {
    const renewable = await serve(t, first);
    const { gateway, write } = renewable;
    t.deepEqual(await shown(t, renewable), [serial(first), serial(first)]);
    const old = await secured(await openSession(t, gateway.port('inbound'), 'EHLO client.example'));
    t.teardown(old.close);
    for (const command of ['EHLO client.example', 'MAIL FROM:<sender@client.example>']) {
      old.send(`${command}\r\n`);
      await old.reply();
    }
    await write(second.cert, second.key);
    gateway.signal('SIGHUP');
    await gateway.logged(({ event }) => event === 'gateway.reloaded');
    t.deepEqual(await shown(t, renewable), [serial(second), serial(second)]);
    old.send('RCPT TO:<known@example.com>\r\nDATA\r\n');
    t.regex((await old.line()) ?? '', /^250 2\.1\.5/);
    t.regex((await old.line()) ?? '', /^354/);
    old.send('Subject: hello\r\n\r\n.\r\n');
    t.regex((await old.line()) ?? '', /^250 2\.0\.0/);
  },
);

for (const { title, cert, key, says } of [
  { title: 'is cut off', cert: second.cert.slice(0, 200), key: second.key, says: /cert\.pem/ },
  { title: 'is empty', cert: '', key: second.key, says: /cert\.pem/ },
  { title: 'does not belong to the key yet', cert: second.cert, key: first.key, says: /key\.pem/ },
]) {
  test.serial(`a new certificate that ${title} is refused by name, and the one before it stays`, async (t) => {
    const renewable = await serve(t, first);
    const { gateway, write } = renewable;
    await write(cert, key);
    gateway.signal('SIGHUP');
    const refused = await gateway.logged(({ event }) => event === 'gateway.reload-refused');
    t.regex(refused.msg, /^reload refused: .*callahead\.yaml:\d+:\d+: /);
    t.regex(refused.msg, says);
    t.deepEqual(await shown(t, renewable), [serial(first), serial(first)]);
    await write(second.cert, second.key);
    gateway.signal('SIGHUP');
    await gateway.logged(({ event }) => event === 'gateway.reloaded');
    t.deepEqual(await shown(t, renewable), [serial(second), serial(second)]);
  });
}
