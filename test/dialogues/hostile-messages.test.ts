/** Messages and envelopes of hostile size and shape: what the sender hears, and what is at the server afterwards. */
import test, { type ExecutionContext } from 'ava';
import { type Chain, openChain } from '../support/chain.ts';
import { openSession } from '../support/dialogue.ts';

const RCPT = `
  C: RCPT TO:<known@example.com>
  S: 250 2.1.5
`;
const DATA = `${RCPT}
  C: DATA
  S: 354
`;
const AGAIN = `
  C: NOOP
  S: 250
  C: MAIL FROM:<>
  S: 250 2.1.0
  ${DATA}
  C: Subject: this one is good
  C: .
  S: 250
  C: QUIT
  S: 221
  S: (closed)
`;

function open(t: ExecutionContext, limits: Readonly<Record<string, unknown>> = {}): Promise<Chain> {
  return openChain(t, { listener: { limits } });
}

/** Octets that come in one write. */
function octets(text: string): string {
  return `C! ${JSON.stringify(text)}\n`;
}

const BAD: readonly (readonly [what: string, message: string, reply: string])[] = [
  ['a line of more than 65,536 octets', `Subject: x\r\n\r\n${'x'.repeat(65_537)}\r\n`, '554 5.6.0'],
  ['a message without any line end', 'x'.repeat(200_000).concat('\r\n'), '554 5.6.0'],
  ['a header section of more than a mebibyte', 'X-Bomb: yes\r\n'.repeat(100_000), '552 5.3.4'],
  ['one header field of more than a mebibyte', `X-Bomb: a\r\n${'\tfolded\r\n'.repeat(160_000)}`, '552 5.3.4'],
  ['a hundred thousand Received fields', 'Received: from a by b\r\n'.repeat(100_000), '554 5.4.6'],
  ['a hundred Received fields in any case', 'rEcEiVeD \t: from a\r\n by b\r\n'.repeat(100), '554 5.4.6'],
  ['a bare LF before a dot', 'Subject: x\r\n\r\nx\n.\r\nMAIL FROM:<>\r\n', '550 5.5.2'],
  ['a dot among NULs', 'Subject: x\r\n\r\n\0.\0\r\nMAIL FROM:<>\r\n', '550 5.5.2'],
];
for (const [what, message, reply] of BAD) {
  test.serial(
    `${what} gets ${reply} after the end of the message, the server nothing of it, and the session goes on`,
    async (t) => {
      const chain = await open(t);
      await chain.ask(`${DATA}${octets(`${message}\r\n.\r\n`)}S: ${reply}\n${AGAIN}`);
      t.is(chain.servers[0]?.messages.length, 1);
      t.regex(chain.servers[0]?.messages[0]?.data.toString() ?? '', /this one is good/);
    },
  );
}

test.serial('a message that never ends is not waited for', async (t) => {
  const chain = await open(t, { messageSize: '1MB' });
  const client = await openSession(
    t,
    chain.port,
    'EHLO c.example',
    'MAIL FROM:<>',
    'RCPT TO:<known@example.com>',
    'DATA',
  );
  client.socket.on('error', () => {});
  const line = Buffer.from(`${'x'.repeat(1_022)}\r\n`.repeat(64));
  let sent = 0;
  const pour = (): void => {
    while (!client.socket.destroyed && sent < 64 * 1024 * 1024 && client.socket.write(line)) sent += line.length;
  };
  client.socket.on('drain', pour);
  pour();
  t.regex((await client.line()) ?? '', /^552 5\.3\.4/);
  t.is(await client.line(), null);
  t.deepEqual(chain.servers[0]?.messages, []);
});

test.serial('two megabytes of escaped dots are taken as what they are', async (t) => {
  const chain = await open(t);
  await chain.ask(`${DATA}${octets(`Subject: x\r\n\r\n${'..\r\n'.repeat(500_000)}.\r\n`)}S: 250\nC: QUIT\nS: 221`);
  t.is(chain.servers[0]?.messages[0]?.data.toString().endsWith('..\r\n..\r\n'), true);
});

test.serial(
  'ten thousand recipients: as many as may be are accepted, each of the others is told to wait, and the message goes to the first',
  async (t) => {
    const most = 50;
    const chain = await openChain(t, {
      servers: [{ on: { RCPT: () => '250 2.1.5 Ok' } }],
      listener: { limits: { recipientsPerMessage: most } },
    });
    const client = await openSession(t, chain.port, 'EHLO c.example', 'MAIL FROM:<>');
    const names = Array.from({ length: 10_000 }, (_, i) => `u${i}@example.com`);
    client.send(names.map((name) => `RCPT TO:<${name}>\r\n`).join(''));
    for (const [i, name] of names.entries()) {
      const line = (await client.line()) ?? '';
      if (!line.startsWith(i < most ? '250 2.1.5 ' : '452 4.5.3 ')) t.fail(`${name}: ${line}`);
    }
    client.send('DATA\r\n');
    t.regex((await client.line()) ?? '', /^354/);
    client.send('Subject: x\r\n.\r\n');
    t.regex((await client.line()) ?? '', /^250/);
    const [message] = chain.servers[0]?.messages ?? [];
    t.deepEqual(message?.recipients, names.slice(0, most));
    const asked = new Set(chain.servers[0]?.asked);
    t.true(
      asked.size <= most + 100,
      `${asked.size} were asked for: those accepted, and no more than are looked ahead for`,
    );
  },
);

const PARAMETERS: readonly (readonly [command: string, reply: string])[] = [
  ['MAIL FROM:<> BODY=BINARYMIME', '501 5.5.4'],
  ['MAIL FROM:<> BODY=7BIT BODY=8BITMIME', '501 5.5.4'],
  ['MAIL FROM:<> SIZE=1 size=2', '501 5.5.4'],
  ['MAIL FROM:<> SIZE', '501 5.5.4'],
  ['MAIL FROM:<> SIZE=-1', '501 5.5.4'],
  ['MAIL FROM:<> SIZE=1e3', '501 5.5.4'],
  [`MAIL FROM:<> SIZE=${'9'.repeat(20)}`, '552 5.3.4'],
  [`MAIL FROM:<> SIZE=${'9'.repeat(400)}`, '501 5.5.4'],
  ['MAIL FROM:<> SMTPUTF8=YES', '501 5.5.4'],
  ['MAIL FROM:<> AUTH=<>', '555 5.5.4'],
  ['MAIL FROM:<> RET=FULL ENVID=x', '555 5.5.4'],
  ['MAIL FROM:<> =', '501 5.5.4'],
  ['MAIL FROM:<> SIZE=1=2', '501 5.5.4'],
  ['MAIL FROM:<>SIZE=1', '501 5.5.4'],
  [`MAIL FROM:<> X=${'y'.repeat(1_900)}`, '555 5.5.4'],
  [`MAIL FROM:<> X=${'y'.repeat(2_100)}`, '500 5.5.2'],
  [`MAIL FROM:<>${' A=B'.repeat(400)}`, '555 5.5.4'],
];
test.serial(
  'parameters that are unknown, repeated, malformed or too long are refused by name of the fault',
  async (t) => {
    const chain = await open(t, { syntaxErrors: 1_000 });
    const said = PARAMETERS.map(([command, reply]) => `C: ${command}\nS: ${reply}\n`).join('');
    await chain.play(`S: 220\nC: EHLO c.example\nS: 250*\n${said}C: MAIL FROM:<> SIZE=1 BODY=8BITMIME SMTPUTF8\nS: 250 2.1.0\n
    C: RCPT TO:<known@example.com> ORCPT=rfc822;x+20NOTIFY+3DSUCCESS\nS: 555 5.5.4
    C: RCPT TO:<known@example.com> NOTIFY=SUCCESS NOTIFY=NEVER\nS: 555 5.5.4
    C: RCPT TO:<known@example.com> X\nS: 555 5.5.4\n`);
    t.deepEqual(chain.servers[0]?.asked, []);
  },
);

test.serial('what one transaction said of itself is not true of the next', async (t) => {
  const chain = await open(t);
  const utf8 = 'C! "RCPT TO:<j\\u00c3\\u00bc@example.com>\\r\\n"';
  await chain.play(`
    S: 220
    C: EHLO c.example
    S: 250*
    C: MAIL FROM:<> SMTPUTF8 BODY=8BITMIME
    S: 250
    ${utf8}
    S: 550 5.1.1
    C: RSET
    S: 250
    C: MAIL FROM:<>
    S: 250
    ${utf8}
    S: 553 5.6.7
    C: EHLO c.example
    S: 250*
    C: RCPT TO:<known@example.com>
    S: 503 5.5.1
    C: MAIL FROM:<> SMTPUTF8=1
    S: 501 5.5.4
    C: MAIL FROM:<>
    S: 250
    ${utf8}
    S: 553 5.6.7
    ${DATA}
    C: Subject: x
    C: .
    S: 250
    C: RCPT TO:<known@example.com>
    S: 503 5.5.1
    C: QUIT
    S: 221`);
  const mails =
    chain.servers[0]?.sessions.flatMap(({ lines }) => lines.filter((line) => line.startsWith('MAIL'))) ?? [];
  t.is(mails.filter((line) => / BODY=| SMTPUTF8/.test(line)).length, 1, 'the probe of the UTF-8 recipient');
});
