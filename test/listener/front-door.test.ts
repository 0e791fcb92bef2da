import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ConfigurationError } from '@callahead/core';
import { createFrontDoor, type Deliver, type FrontDoorOptions, UNKNOWN, VALID } from '@callahead/listener';
import test, { type ExecutionContext } from 'ava';
import { openSession, play } from '../support/dialogue.ts';
import { until } from '../support/until.ts';

const EXAMPLE = fileURLToPath(new URL('../../examples/front-door/door.ts', import.meta.url));
const OPENING = ['EHLO client.example', 'MAIL FROM:<sender@client.example>', 'RCPT TO:<ann@corp.example>', 'DATA'];

async function openDoor(t: ExecutionContext, options: Partial<FrontDoorOptions> = {}): Promise<number> {
  const door = createFrontDoor({
    hostname: 'mx.corp.example',
    listen: '127.0.0.1:0',
    recipients: ['corp.example'],
    validate: ({ recipient }) => (recipient.local === 'ann' ? VALID : UNKNOWN),
    ...options,
  });
  const [socket = ''] = await door.listen();
  t.teardown(() => door.drain(performance.now()));
  return Number(socket.split(':').at(-1));
}

async function say(t: ExecutionContext, deliver: Deliver, message: string): Promise<string | null> {
  const client = await openSession(t, await openDoor(t, { deliver }), ...OPENING);
  client.send(message);
  return client.line();
}

test('the example of a front door takes a message for whom it knows, and drains', async (t) => {
  const child = spawn(process.execPath, [EXAMPLE, '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const port = Number(((await lines.next()).value ?? '').split(':').at(-1));
  await play(
    port,
    `S: 220 mx.corp.example
     C: EHLO client.example
     S: 250*
     C: MAIL FROM:<sender@client.example>
     S: 250
     C: RCPT TO:<ann@corp.example>
     S: 250 2.1.5
     C: RCPT TO:<nobody@corp.example>
     S: 550 5.1.1 No such recipient here
     C: RCPT TO:<ann@elsewhere.example>
     S: 550 5.7.1
     C: DATA
     S: 354
     C: Subject: hello
     C: .
     S: 250 2.0.0
     C: QUIT
     S: 221`,
  );
  t.regex((await lines.next()).value ?? '', /^\d+ octets from <sender@client\.example> to ann@corp\.example$/);
  child.kill('SIGTERM');
  t.deepEqual(await ended, [0, null]);
});

test('a message comes as it was written, without the dots of SMTP', async (t) => {
  let text = '';
  const deliver: Deliver = async ({ recipients }, message) => {
    t.deepEqual(
      recipients.map(({ address }) => address),
      ['ann@corp.example'],
    );
    for await (const chunk of message) text += chunk.toString('latin1');
    return { code: 250, enhanced: null, text: 'ok' };
  };
  t.regex((await say(t, deliver, 'Subject: dots\r\n\r\n..one\r\n...\r\nno.dot.\r\n.\r\n')) ?? '', /^250 2\.0\.0/);
  t.regex(text, /^Received: from client\.example .*\r\nSubject: dots\r\n\r\n\.one\r\n\.\.\r\nno\.dot\.\r\n$/s);
});

test('the reply of the function is what the sender is told', async (t) => {
  const full: Deliver = () => ({ code: 552, enhanced: '5.2.2', text: 'The mailbox is full' });
  t.is(await say(t, full, `${'x'.repeat(900)}\r\n.\r\n`), '552 5.2.2 The mailbox is full');
  const broken: Deliver = () => {
    throw new Error('no room');
  };
  t.regex((await say(t, broken, 'x\r\n.\r\n')) ?? '', /^451 4\.4\.2/);
});

test('a sender that leaves in the middle makes the message fail', async (t) => {
  let told = '';
  const deliver: Deliver = async (_, message) => {
    try {
      for await (const chunk of message) t.true(chunk.length > 0);
      told = 'the end';
    } catch (error) {
      told = (error as Error).message;
    }
    return { code: 250, enhanced: null, text: 'ok' };
  };
  const client = await openSession(t, await openDoor(t, { deliver }), ...OPENING);
  client.send('Subject: half\r\n');
  client.close();
  await until(() => told !== '');
  t.is(told, 'the sender did not finish the message');
});

test('a function that reads slowly holds up its sender, and gets every octet', async (t) => {
  let octets = 0;
  const deliver: Deliver = async (_, message) => {
    for await (const chunk of message) {
      octets += chunk.length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    return { code: 250, enhanced: null, text: 'ok' };
  };
  const line = `${'x'.repeat(998)}\r\n`;
  t.regex((await say(t, deliver, `${line.repeat(3_000)}.\r\n`)) ?? '', /^250/);
  t.true(octets > 3_000_000);
});

test('without a function that takes messages DATA is refused', async (t) => {
  const client = await openSession(t, await openDoor(t), ...OPENING);
  t.regex(client.transcript(), /S: 550 5\.3\.2/);
});

test('settings are checked as those of a configuration file, and every problem is told', (t) => {
  const error = t.throws(
    () =>
      createFrontDoor({
        hostname: 'mx.corp.example',
        listen: 'nowhere',
        recipients: ['ALL'],
        validate: () => VALID,
        deliver: () => ({ code: 250, enhanced: null, text: 'ok' }),
        listener: { limits: { sessions: -1 } },
      }),
    { instanceOf: ConfigurationError },
  );
  t.is(error.problems.filter(({ severity }) => severity === 'error').length, 3);
  t.regex(error.message, /open relay/);
});
