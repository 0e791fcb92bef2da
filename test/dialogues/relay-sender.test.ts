import test from 'ava';
import { type Client, openSession } from '../support/dialogue.ts';
import { openRelayedDoor, sendMessage, USERS } from '../support/relayed-door.ts';
import { allClosed } from '../support/relays.ts';
import { recipientAt } from '../support/routes.ts';
import { until } from '../support/until.ts';

const MESSAGE = 'Subject: hello\r\n\r\ntext\r\n';
const ONE = USERS.slice(0, 1);

async function begin(client: Client): Promise<void> {
  for (const command of ['MAIL FROM:<s@client.example>', 'RCPT TO:<known@example.com>', 'DATA']) {
    client.send(`${command}\r\n`);
    await client.reply();
  }
}

test('a sender that goes between its end of data and our answer: the next hop has the message once, and the log says that nobody was told', async (t) => {
  const answer = Promise.withResolvers<void>();
  const DOT = async (): Promise<string> => {
    await answer.promise;
    return '250 2.0.0 Taken';
  };
  const door = await openRelayedDoor(t, [{ on: { DOT } }]);
  const client = await openSession(t, door.port, 'EHLO client.example');
  await begin(client);
  client.send(`${MESSAGE}.\r\n`);
  await until(() => door.servers[0]?.messages.length === 1);
  client.socket.resetAndDestroy();
  await until(() => door.listener.sessions() === 0);
  answer.resolve();
  await until(() => door.events.some(({ event }) => event === 'message.unacknowledged'));
  await allClosed(door);
  t.false(door.events.some(({ event }) => event === 'message.relayed'));
  t.is(door.servers[0]?.messages.length, 1);
  t.is(door.servers[0]?.sessions.length, 1);
});

test('a sender that goes before its end of data takes its message along', async (t) => {
  const door = await openRelayedDoor(t, [{}]);
  const client = await openSession(t, door.port, 'EHLO client.example');
  await begin(client);
  client.send(MESSAGE);
  client.socket.end();
  await until(() => door.listener.sessions() === 0);
  await allClosed(door);
  t.is(door.servers[0]?.messages.length, 0);
});

test('an answer that our own stalled event loop made late is late: the sender hears 451, and the log says that it was not answered', async (t) => {
  const DOT = (): string => {
    const untilMs = performance.now() + 400;
    while (performance.now() < untilMs);
    return '250 2.0.0 Taken';
  };
  const door = await openRelayedDoor(t, [{ on: { DOT } }], { bench: { settings: { endOfDataTimeoutMs: 200 } } });
  const client = await openSession(t, door.port, 'EHLO client.example');
  t.is(await sendMessage(client, ONE, MESSAGE), 'end 451 4.4.2');
  t.like(
    door.events.find(({ event }) => event === 'message.refused'),
    { reason: 'unanswered' },
  );
});

test('what the next hop said against one of several recipients the sender hears at RCPT, once, and the others get the message', async (t) => {
  const RCPT = ({ address }: { address: string }): string | null =>
    address === USERS[1] ? '550 5.7.1 mx7.internal says no' : null;
  const door = await openRelayedDoor(t, [{ on: { RCPT } }]);
  const client = await openSession(t, door.port, 'EHLO client.example');
  t.is(await sendMessage(client, USERS, MESSAGE), 'DATA 451 4.3.0');
  const heard: string[] = [];
  for (let attempt = 0; attempt < 2; attempt++) {
    client.send('RSET\r\nMAIL FROM:<s@client.example>\r\n');
    await client.reply();
    await client.reply();
    for (const address of USERS) {
      client.send(`RCPT TO:<${address}>\r\n`);
      heard.push((await client.line())?.slice(0, 9) ?? '');
    }
  }
  t.deepEqual(heard, ['250 2.1.5', '550 5.7.1', '250 2.1.5', '250 2.1.5']);
  client.send('RSET\r\n');
  await client.reply();
  t.is(await sendMessage(client, ONE, MESSAGE), 'end 250 2.0.0');
  t.is(door.servers[0]?.messages.length, 1);
});

test('who is named twice, or is delivered under the address of another, hears the same as that one: the others get the message at the next attempt', async (t) => {
  const RCPT = ({ address }: { address: string }): string | null =>
    address === 'busy@example.com' ? '450 4.2.1 Busy' : null;
  const door = await openRelayedDoor(t, [{ on: { RCPT } }], {
    rewrite: (recipient) => (recipient.local === 'alias' ? recipientAt('busy@example.com') : recipient),
  });
  const client = await openSession(t, door.port, 'EHLO client.example');
  const all = ['known@example.com', 'busy@example.com', 'alias@example.com', 'busy@example.com'];
  t.is(await sendMessage(client, all, MESSAGE), 'DATA 451 4.3.0');
  client.send('RSET\r\n');
  await client.reply();
  t.is(await sendMessage(client, all, MESSAGE), 'end 250 2.0.0');
  t.deepEqual(
    client.transcript().match(/S: 450 4\.2\.1/g),
    Array.from({ length: 3 }, () => 'S: 450 4.2.1'),
  );
  t.deepEqual(
    door.servers[0]?.messages.map(({ recipients }) => recipients),
    [ONE],
  );
});

test('the Received line names the recipient as its sender did, not the host that it is delivered to', async (t) => {
  const door = await openRelayedDoor(t, [{ users: ['u1@store7.internal'] }], {
    rewrite: () => recipientAt('u1@store7.internal'),
  });
  const client = await openSession(t, door.port, 'EHLO client.example');
  t.is(await sendMessage(client, ONE, MESSAGE), 'end 250 2.0.0');
  const [message] = door.servers[0]?.messages ?? [];
  t.deepEqual(message?.recipients, ['u1@store7.internal']);
  const text = message?.data.toString('latin1') ?? '';
  t.regex(text, /^\tfor <known@example\.com>;/m);
  t.notRegex(text, /store7/);
});

test('messages of one session go over one connection', async (t) => {
  const door = await openRelayedDoor(t, [{}], { bench: { idleMs: 60_000 } });
  const client = await openSession(t, door.port, 'EHLO client.example');
  for (let i = 0; i < 5; i++) t.is(await sendMessage(client, ONE, MESSAGE), 'end 250 2.0.0');
  t.is(door.servers[0]?.sessions.length, 1);
  t.is(door.servers[0]?.messages.length, 5);
});
