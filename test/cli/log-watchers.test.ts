/** examples/fail2ban, before the lines of a real gateway. */
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { finish, program, temporaryFolder } from '../support/debian.ts';
import { type Client, connectClient } from '../support/dialogue.ts';
import { startFakeServer } from '../support/fake-server.ts';
import { type RunningGateway, startGateway } from '../support/gateway.ts';
import { before } from '../support/gateway-settings.ts';

const FILTER = join(import.meta.dirname, '..', '..', 'examples', 'fail2ban', 'filter.d', 'callahead.conf');

/** A gateway that is told by the test who its clients are, before a server that knows one user and is not always well. */
async function serve(t: ExecutionContext, settings: object = {}): Promise<RunningGateway> {
  const server = await startFakeServer({
    users: ['known@example.com'],
    on: {
      RCPT: ({ address }) => {
        if (address === 'later@example.com') return '451 4.3.0 Later';
        return address === 'full@example.com' ? '552 5.2.2 Mailbox full' : null;
      },
    },
  });
  t.teardown(server.stop);
  const file = before(server.at);
  file.listeners.inbound.proxyProtocol = { trusted: ['127.0.0.1'] };
  file.listeners.inbound.hostAccess = 'inbound';
  file.hostAccess = {
    inbound: {
      senderGroups: [
        { name: 'blocked', match: ['203.0.113.66'], policy: 'blocked' },
        { name: 'others', match: 'ALL', policy: 'accepted' },
      ],
      policies: { blocked: { action: 'reject' }, accepted: { action: 'accept', maxInvalidRecipientsPerHour: 5 } },
    },
  };
  const gateway = await startGateway({ drainTimeout: 1, ...file, ...settings });
  t.teardown(gateway.kill);
  return gateway;
}

/** A session of a client at that address, with those recipients: what it hears of each. */
async function ask(gateway: RunningGateway, from: string, recipients: readonly string[]): Promise<readonly string[]> {
  const client = await connectClient(gateway.port('inbound'));
  const [family, to] = from.includes(':') ? ['TCP6', '2001:db8::1'] : ['TCP4', '192.0.2.1'];
  client.send(`PROXY ${family} ${from} ${to} 40000 25\r\n`);
  const greeting = await client.line();
  if (!greeting?.startsWith('220')) return [greeting ?? ''];
  for (const command of ['EHLO client.example', 'MAIL FROM:<sender@client.example>']) await say(client, command);
  const replies: string[] = [];
  for (const recipient of recipients) replies.push(await say(client, `RCPT TO:<${recipient}>`));
  client.send('QUIT\r\n');
  return replies;
}

async function say(client: Client, command: string): Promise<string> {
  client.send(`${command}\r\n`);
  for (;;) {
    const line = (await client.line()) ?? '';
    if (line[3] !== '-') return line;
  }
}

/** Whom the filter would count for these lines, once a line. */
async function matched(t: ExecutionContext, lines: readonly string[]): Promise<readonly string[]> {
  const folder = await temporaryFolder('fail2ban');
  t.teardown(folder.remove);
  const log = join(folder.path, 'log');
  await writeFile(log, lines.map((line) => `${line}\n`).join(''));
  const regex = program('fail2ban-regex');
  const python = join(dirname(regex), '..', 'lib', 'python3', 'dist-packages');
  const { code, output } = await finish('/usr/bin/env', [
    `PYTHONPATH=${python}`,
    'python3',
    regex,
    '--out',
    'ip',
    log,
    FILTER,
  ]);
  t.true(code === 0 || code === 255, output);
  return output.split('\n').filter((line) => line !== '');
}

const HOSTILE = [
  '"x> code=550 reason=unknown ref=a client=198.51.100.9"@example.com',
  '"\\"msg\\":\\"reject client=198.51.100.9 rcpt=<>"@example.com',
  'client=198.51.100.9@example.com',
  'nobody@[198.51.100.9]',
];

test('fail2ban counts clients that guess, by IPv4 and IPv6, and whom host access turns away', async (t) => {
  const gateway = await serve(t);
  await ask(gateway, '203.0.113.7', ['nobody@example.com', 'somebody@elsewhere.example']);
  await ask(gateway, '2001:db8::7', ['nobody@example.com']);
  t.regex((await ask(gateway, '203.0.113.66', []))[0] ?? '', /^554 /);
  await gateway.stop();
  t.deepEqual(await matched(t, gateway.lines), ['203.0.113.7', '203.0.113.7', '2001:db8::7', '203.0.113.66']);
});

test('an address in a recipient is never the one that fail2ban counts', async (t) => {
  for (const addresses of ['full', 'hashed']) {
    const gateway = await serve(t, { log: { addresses } });
    const replies = await ask(gateway, '203.0.113.8', HOSTILE);
    t.true(
      replies.every((reply) => reply.startsWith('550')),
      replies.join('\n'),
    );
    await gateway.stop();
    t.deepEqual(
      await matched(t, gateway.lines),
      HOSTILE.map(() => '203.0.113.8'),
      addresses,
    );
    t.is(
      gateway.lines.some((line) => line.includes('198.51.100.9"')),
      false,
    );
  }
});

test('fail2ban does not count what is not the fault of the client', async (t) => {
  const gateway = await serve(t);
  const replies = await ask(gateway, '203.0.113.9', [
    'known@example.com',
    'later@example.com',
    'full@example.com',
    'a b@x',
  ]);
  t.deepEqual(
    replies.map((reply) => reply.slice(0, 3)),
    ['250', '451', '552', '501'],
  );
  await gateway.stop();
  t.deepEqual(await matched(t, gateway.lines), []);
});

test('a client that harvest protection stops is counted, whatever the code of that', async (t) => {
  const gateway = await serve(t);
  const guesses = Array.from({ length: 6 }, (_, i) => `guess${i}@example.com`);
  t.regex((await ask(gateway, '203.0.113.10', guesses)).at(-1) ?? '', /^450 /);
  await gateway.stop();
  t.is((await matched(t, gateway.lines)).length, 6);
});
