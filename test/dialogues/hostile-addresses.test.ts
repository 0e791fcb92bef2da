/** Addresses that were not written to reach anybody, before the whole gateway: what the client hears, and what the server behind hears of it. */
import test, { type ExecutionContext } from 'ava';
import { type Chain, openChain } from '../support/chain.ts';
import { type Client, openSession } from '../support/dialogue.ts';
import { type Heard, hear, isReplyLine } from '../support/heard.ts';
import { CHARACTERS, HIDING_LABELS, POSITIONS, STRINGS } from '../support/naughty.ts';

type Bench = Readonly<{ chain: Chain; heard: Heard; begin(mail?: string): Promise<Client> }>;

async function open(t: ExecutionContext): Promise<Bench> {
  const heard = hear({ users: ['known@example.com'] });
  const chain = await openChain(t, {
    servers: [heard.options],
    listener: { limits: { syntaxErrors: 10_000 } },
    sections: {
      recipientAccess: { inbound: [{ match: ['example.com', '.example.com', 'user@[192.0.2.1]'], action: 'accept' }] },
    },
  });
  const begin = (mail = 'MAIL FROM:<> SMTPUTF8'): Promise<Client> =>
    openSession(t, chain.port, 'EHLO client.example', mail);
  return { chain, heard, begin };
}

/** Says commands in groups, as many as may be said without a recipient, and returns their replies. */
async function say(client: Client, commands: readonly string[]): Promise<readonly string[]> {
  const replies: string[] = [];
  for (let at = 0; at < commands.length; at += 40) {
    const group = commands.slice(at, at + 40);
    client.send([...group, 'RCPT TO:<postmaster>'].map((command) => `${command}\r\n`).join(''));
    for (const _ of group) replies.push((await client.line()) ?? '(closed)');
    const between = await client.line();
    if (!between?.startsWith('250 2.1.5')) throw new Error(`no recipient is accepted: ${between}`);
  }
  return replies;
}

function shown(command: string, reply: string | undefined): string {
  return `${JSON.stringify(command)}: ${reply}`;
}

for (const mail of ['MAIL FROM:<>', 'MAIL FROM:<> SMTPUTF8']) {
  test.serial(
    `no character that is none of an address passes anywhere in one after ${mail}, and no server hears of it`,
    async (t) => {
      const { heard, begin } = await open(t);
      const client = await begin(mail);
      const commands = CHARACTERS.flatMap((character) =>
        POSITIONS.map((position) => `RCPT TO:<${position.replace('{}', character)}>`),
      );
      const replies = await say(client, commands);
      const wrong = commands
        .map((command, i) => shown(command, replies[i]))
        .filter((_, i) => !/^(?:501 5\.1\.[23]|501 5\.5\.4|553 5\.6\.7) /.test(replies[i] ?? ''));
      t.deepEqual(wrong, []);
      t.is(heard.octets().length, 0);
    },
  );
}

test.serial('no label hides what ends a label, an address or a line, in either case and at any place', async (t) => {
  const { heard, begin } = await open(t);
  const client = await begin();
  const commands = HIDING_LABELS.flatMap((label) =>
    [`${label}.example.com`, `a.${label}.example.com`, `${label.toUpperCase()}.example.com`, `${label}.`].map(
      (domain) => `RCPT TO:<known@${domain}>`,
    ),
  );
  const replies = await say(client, commands);
  const wrong = commands
    .map((command, i) => shown(command, replies[i]))
    .filter((_, i) => !/^501 5\.1\.[23] /.test(replies[i] ?? ''));
  t.deepEqual(wrong, []);
  t.is(heard.octets().length, 0);
});

/** What is said, and how the server is asked; null: it is not. */
const FORMS: readonly (readonly [said: string, asked: string | null, code: string])[] = [
  ['known@EXAMPLE.com', 'known@example.com', '250 2.1.5'],
  ['known@example.com.', 'known@example.com', '250 2.1.5'],
  ['"known"@example.com', 'known@example.com', '250 2.1.5'],
  ['"k\\n\\o\\w\\n"@example.com', 'known@example.com', '250 2.1.5'],
  ['@a.example,@b.example:known@example.com', 'known@example.com', '250 2.1.5'],
  ['"a b"@example.com', '"a b"@example.com', '550 5.1.1'],
  ['"a@b"@example.com', '"a@b"@example.com', '550 5.1.1'],
  ['"a>b"@example.com', '"a>b"@example.com', '550 5.1.1'],
  ['"a\\"b"@example.com', '"a\\"b"@example.com', '550 5.1.1'],
  ['"x@elsewhere.example"@example.com', '"x@elsewhere.example"@example.com', '550 5.1.1'],
  ['user@[192.0.2.1]', 'user@[192.0.2.1]', '550 5.1.1'],
  ['-oX@example.com', '-oX@example.com', '550 5.1.1'],
  ['known@sub.example.com', 'known@sub.example.com', '550 5.1.1'],
  ['Known@example.com', 'Known@example.com', '550 5.1.1'],
  ['@example.com:known@elsewhere.example', null, '550 5.7.1'],
  ['known@example.com@elsewhere.example', null, '501 5.1.3'],
  ['known@elsewhere.example@example.com', null, '501 5.1.3'],
  ['known%elsewhere.example@example.com', null, '553 5.1.3'],
  ['elsewhere.example!known@example.com', null, '553 5.1.3'],
  ['|cat@example.com', null, '553 5.1.3'],
  ['/dev/null@example.com', null, '553 5.1.3'],
  ['"a b@example.com', null, '501 5.5.4'],
  ['a"b"@example.com', null, '501 5.1.3'],
  ['(x)known@example.com', null, '501 5.1.3'],
  ['known@example.com(x)', null, '501 5.1.3'],
  ['known@elsewhere.example', null, '550 5.7.1'],
  ['user@[192.0.2.2]', null, '550 5.7.1'],
  ['user@[192.0.2.01]', null, '501 5.1.3'],
  ['user@[IPv6:::ffff:192.0.2.1]', null, '550 5.7.1'],
];

test.serial('an address has one form, whatever way it is written, and that is what the server is asked', async (t) => {
  const { chain, heard, begin } = await open(t);
  const client = await begin('MAIL FROM:<>');
  const replies = await say(
    client,
    FORMS.map(([said]) => `RCPT TO:<${said}>`),
  );
  for (const [i, [said, , code]] of FORMS.entries()) t.regex(replies[i] ?? '', new RegExp(`^${code} `), said);
  const wanted = FORMS.flatMap(([, asked]) => (asked === null ? [] : [asked]));
  const asked = new Set(chain.servers.flatMap((server) => server.asked));
  t.deepEqual([...asked].toSorted(), [...new Set(wanted)].toSorted());
  t.deepEqual(heard.strange(), []);
});

/** Every place of a session where a client says something of its own. */
const PLACES: readonly ((text: string) => string)[] = [
  (text) => `RCPT TO:<${text}@example.com>`,
  (text) => `RCPT TO:<"${text}"@example.com>`,
  (text) => `RCPT TO:<known@${text}>`,
  (text) => `RCPT TO:<known@${text}.example.com>`,
  (text) => `RCPT TO:<${text}>`,
  (text) => `RCPT TO:${text}`,
  (text) => `RCPT TO:<known@example.com> ${text}`,
  (text) => `RCPT TO:<known@example.com> ORCPT=rfc822;${text}`,
  (text) => `RCPT TO:<known@example.com>${text}`,
  (text) => `${text} TO:<known@example.com>`,
  (text) => `NOOP ${text}`,
];

test.serial(
  'whatever a client says, wherever, it hears replies and the server hears commands that were meant',
  async (t) => {
    const { chain, heard, begin } = await open(t);
    for (const mail of ['MAIL FROM:<>', 'MAIL FROM:<> SMTPUTF8']) {
      const client = await begin(mail);
      const commands = STRINGS.flatMap((text) => PLACES.map((place) => place(text)));
      const replies = await say(client, commands);
      const wrong = commands
        .map((command, i) => shown(command, replies[i]))
        .filter((_, i) => !isReplyLine(replies[i] ?? ''));
      t.deepEqual(wrong, []);
    }
    t.deepEqual(heard.strange(), []);
    t.true(heard.octets().length > 1_000, 'some of it is addresses');
    const raw = chain.events.filter((event) => UNESCAPED.test(Object.values(event).join()));
    t.deepEqual(raw, []);
  },
);

// biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what is looked for.
const UNESCAPED = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

test.serial('whatever a sender is called or calls itself, the server hears nothing of it', async (t) => {
  const { chain, heard } = await open(t);
  for (const text of STRINGS.filter((_, i) => i % 3 === 0)) {
    const client = await openSession(
      t,
      chain.port,
      `EHLO ${text}`,
      'EHLO client.example',
      `MAIL FROM:<${text}@example.org>`,
    );
    client.send('RSET\r\nMAIL FROM:<>\r\nRCPT TO:<known@example.com>\r\nQUIT\r\n');
    for (const code of ['250', '250', '250', '221']) t.is((await client.line())?.slice(0, 3), code, text);
    client.close();
  }
  t.deepEqual(heard.strange(), []);
});
