import test from 'ava';
import { connectClient } from '../support/dialogue.ts';
import { startGateway } from '../support/gateway.ts';
import { before } from '../support/gateway-settings.ts';
import { startHaproxy } from '../support/haproxy.ts';

for (const header of ['send-proxy', 'send-proxy-v2'] as const) {
  test(`behind HAProxy with ${header} the gateway knows its clients by their own addresses`, async (t) => {
    const settings = before('127.0.0.1:1');
    settings.listeners.inbound.proxyProtocol = { trusted: '127.0.0.1' };
    const gateway = await startGateway(settings);
    t.teardown(() => gateway.stop());
    const proxy = await startHaproxy(gateway.port('inbound'), header);
    t.teardown(() => proxy.stop());
    const client = await connectClient(proxy.port, '127.0.0.77');
    t.teardown(client.close);
    t.regex((await client.line()) ?? '', /^220 mx\.gateway\.example/);
    for (const command of ['EHLO client.example', 'MAIL FROM:<>', 'RCPT TO:<user@elsewhere.example>']) {
      client.send(`${command}\r\n`);
      await client.reply();
    }
    const rejected = await gateway.logged(({ event }) => event === 'recipient.rejected');
    t.is(rejected.client, '127.0.0.77');
    client.send('QUIT\r\n');
    t.regex((await client.line()) ?? '', /^221/);
    t.is(await client.line(), null);
    t.deepEqual(
      gateway.log.filter(({ event }) => event === 'proxy.refused'),
      [],
    );
  });
}
