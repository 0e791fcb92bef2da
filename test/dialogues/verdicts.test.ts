/** What a sender hears for everything a server can say or do to a call-ahead: SPEC section 4, row by row, through the whole chain. */
import test from 'ava';
import { type Chain, openChain } from '../support/chain.ts';
import { type FakeOptions, type Move, NOBODYS_ADDRESS } from '../support/fake-server.ts';

type Row = Readonly<{
  title: string;
  server: FakeOptions;
  profile?: Readonly<Record<string, unknown>>;
  /** What RCPT TO:<known@example.com> gets, as a dialogue pattern. */
  hears: string;
  /** Is the second question answered from the cache? */
  cached: boolean;
}>;

const known = { users: ['known@example.com'] };
const reply =
  (text: string): (() => Move) =>
  () =>
    text;
const rcpt = (text: string): FakeOptions => ({ on: { RCPT: reply(text) } });

const rows: readonly Row[] = [
  { title: 'a recipient that exists is accepted', server: known, hears: '250 2.1.5', cached: true },
  { title: '251 is a yes', server: rcpt('251 2.1.5 Will forward'), hears: '250 2.1.5', cached: true },
  { title: '252 is a yes', server: rcpt('252 2.1.5 Will try'), hears: '250 2.1.5', cached: true },
  {
    title: 'a recipient that does not exist is unknown',
    server: rcpt('550 5.1.1 Nobody'),
    hears: '/^550 5\\.1\\.1 [^:]+ \\(\\w+\\)$/',
    cached: true,
  },
  { title: '550 without an enhanced code is unknown', server: rcpt('550 Nobody'), hears: '550 5.1.1', cached: true },
  {
    title: '551 without an enhanced code is unknown, and told as 5.1.6',
    server: rcpt('551 Try elsewhere'),
    hears: '551 5.1.6',
    cached: true,
  },
  { title: '556 is unknown', server: rcpt('556 5.1.10 Null MX'), hears: '556 5.1.10', cached: true },
  {
    title: '554 5.1.1 is unknown whatever its basic code',
    server: rcpt('554 5.1.1 Nobody'),
    hears: '554 5.1.1',
    cached: true,
  },
  { title: '554 is refused', server: rcpt('554 5.7.1 Spam'), hears: '554 5.7.1', cached: false },
  { title: '553 without an enhanced code is refused', server: rcpt('553 Not you'), hears: '553 5.0.0', cached: false },
  {
    title: '552 on the first recipient is about the mailbox',
    server: rcpt('552 Over quota'),
    hears: '552 5.2.2',
    cached: false,
  },
  { title: '550 5.7.1 is refused, not unknown', server: rcpt('550 5.7.1 No'), hears: '550 5.7.1', cached: false },
  {
    title: 'an enhanced code of another class is ignored',
    server: rcpt('550 4.1.1 Odd'),
    hears: '550 5.1.1',
    cached: true,
  },
  {
    title: 'a refused recipient is cached where the profile wants it',
    server: rcpt('554 5.7.1 Spam'),
    profile: { refusedCacheTtl: 60 },
    hears: '554 5.7.1',
    cached: true,
  },
  {
    title: 'a code that the operator lists is unknown',
    server: rcpt('550 5.4.1 Access denied'),
    profile: { unknownRecipientCodes: ['5.4.1'] },
    hears: '550 5.4.1',
    cached: true,
  },
  { title: '450 is temporary', server: rcpt('450 4.2.0 Greylisted'), hears: '450 4.2.0', cached: false },
  {
    title: '452 on the first recipient is temporary',
    server: rcpt('452 4.2.2 Full'),
    hears: '452 4.2.2',
    cached: false,
  },
  {
    title: 'a 4xx that is not for senders becomes 451',
    server: rcpt('471 4.7.1 Odd'),
    hears: '451 4.7.1',
    cached: false,
  },
  {
    title: '421 to the recipient twice is temporary, and does not close the sender',
    server: { on: { RCPT: () => ({ reply: '421 4.3.2 Down', close: true }) } },
    hears: '451 4.3.2',
    cached: false,
  },
  { title: '503 is no answer', server: rcpt('503 5.5.1 Sequence'), hears: '451 4.5.0', cached: false },
  { title: '530 is no answer', server: rcpt('530 5.7.0 STARTTLS first'), hears: '451 4.5.0', cached: false },
  { title: '501 5.5.4 is no answer', server: rcpt('501 5.5.4 Parameters'), hears: '451 4.5.0', cached: false },
  { title: '501 5.1.3 is unknown', server: rcpt('501 5.1.3 Bad address'), hears: '/^550 5\\.1\\.3/', cached: true },
  { title: '354 to RCPT is no answer', server: rcpt('354 Go ahead'), hears: '451 4.5.0', cached: false },
  {
    title: '5xx at the greeting says nothing about the recipient',
    server: { on: { connect: () => ({ reply: '554 5.7.1 Go away', close: true }) } },
    hears: '451 4.5.0',
    cached: false,
  },
  {
    title: '4xx at the greeting is temporary',
    server: { on: { connect: () => ({ reply: '421 4.3.2 Busy', close: true }) } },
    hears: '451 4.3.2',
    cached: false,
  },
  {
    title: '5xx to EHLO and HELO is about us',
    server: { on: { EHLO: reply('550 5.7.1 Bad name'), HELO: reply('550 5.7.1 Bad name') } },
    hears: '451 4.5.0',
    cached: false,
  },
  {
    title: 'a server that only knows HELO is asked',
    server: { ...known, on: { EHLO: reply('502 5.5.1 What?') } },
    hears: '250 2.1.5',
    cached: true,
  },
  {
    title: '5xx to MAIL is about us',
    server: { on: { MAIL: reply('550 5.7.1 Not you') } },
    hears: '451 4.5.0',
    cached: false,
  },
  {
    title: '4xx to MAIL is temporary',
    server: { on: { MAIL: reply('451 4.7.1 Later') } },
    hears: '451 4.7.1',
    cached: false,
  },
  {
    title: 'a sender refused at RCPT with 5.1.8 is about us',
    server: rcpt('553 5.1.8 Sender domain unknown'),
    hears: '451 4.5.0',
    cached: false,
  },
  {
    title: 'a sender refused at RCPT with 5.1.7 is about us',
    server: rcpt('550 5.1.7 Bad sender'),
    hears: '451 4.5.0',
    cached: false,
  },
  {
    title: 'a sender refused at RCPT with 4.1.8 is about us',
    server: rcpt('450 4.1.8 Sender domain unknown'),
    hears: '451 4.5.0',
    cached: false,
  },
  {
    title: 'silence at the greeting is a time-out',
    server: { on: { connect: () => ({ kind: 'silent' }) } },
    profile: { validationTimeout: 1 },
    hears: '451 4.4.2',
    cached: false,
  },
  {
    title: 'silence at RCPT is a time-out',
    server: { on: { RCPT: () => ({ kind: 'silent' }) } },
    profile: { validationTimeout: 1 },
    hears: '451 4.4.2',
    cached: false,
  },
  {
    title: 'the command time-out ends a silent server before the budget does',
    server: { on: { RCPT: () => ({ kind: 'silent' }) } },
    profile: { commandTimeout: 0.3 },
    hears: '451 4.4.2',
    cached: false,
  },
  {
    title: 'a connection dropped at the greeting is a failed connection',
    server: { on: { connect: () => ({ kind: 'reset' }) } },
    profile: { validationTimeout: 1 },
    hears: '/^451 4\\.4\\.[12]/',
    cached: false,
  },
  {
    title: 'a connection dropped at RCPT twice is a failed connection',
    server: { on: { RCPT: () => ({ kind: 'close' }) } },
    profile: { validationTimeout: 2 },
    hears: '451 4.4.1',
    cached: false,
  },
  {
    title: 'garbage is no answer',
    server: { on: { RCPT: () => ({ raw: 'I am no mail server\r\n' }) } },
    hears: '451 4.5.0',
    cached: false,
  },
  {
    title: 'a greeting of another protocol is no answer',
    server: { on: { connect: () => ({ raw: 'SSH-2.0-OpenSSH_9.9\r\n' }) } },
    hears: '451 4.5.0',
    cached: false,
  },
  {
    title: 'a reply that never ends is no answer',
    server: { on: { RCPT: () => ({ raw: '250-x\r\n'.repeat(1_000) }) } },
    hears: '451 4.5.0',
    cached: false,
  },
  {
    title: 'a reply with two codes is no answer',
    server: { on: { RCPT: () => ({ raw: '250-a\r\n550 b\r\n' }) } },
    hears: '451 4.5.0',
    cached: false,
  },
  {
    title: 'a recipient refused by custom response',
    server: rcpt('550 5.1.1 Nobody'),
    profile: { onUnknown: { code: 550, text: '5.1.1 Ask the service desk' } },
    hears: '550 5.1.1 Ask the service desk',
    cached: true,
  },
  {
    title: 'a temporary failure answered by custom response',
    server: rcpt('450 4.2.0 Later'),
    profile: { onTemporaryFailure: { code: 451, text: 'Come back' } },
    hears: '/^451 4\\.\\d\\.\\d Come back/',
    cached: false,
  },
  {
    title: 'a failure accepted where the profile fails open',
    server: { ...known, on: { MAIL: reply('550 5.7.1 Not you') } },
    profile: { onValidationFailure: 'accept' },
    hears: '250 2.1.5',
    cached: false,
  },
  {
    title: 'a temporary failure accepted where the profile says so',
    server: rcpt('450 4.2.0 Later'),
    profile: { onTemporaryFailure: 'accept' },
    hears: '250 2.1.5',
    cached: false,
  },
  {
    title: 'an unknown recipient accepted in monitor mode',
    server: rcpt('550 5.1.1 Nobody'),
    profile: { mode: 'monitor' },
    hears: '250 2.1.5',
    cached: true,
  },
  {
    title: "the server's own text where the profile passes it",
    server: rcpt('550 5.1.1 No \x07such user'),
    profile: { serverReply: 'pass' },
    hears: '550 5.1.1 No ?such user',
    cached: true,
  },
  {
    title: 'a server that greets with our own name is a loop and never fails open',
    server: { ...known, name: 'mx.gateway.example' },
    profile: { onValidationFailure: 'accept' },
    hears: '451 4.4.6',
    cached: false,
  },
];

/** One gateway for all rows, with a listener and a profile for each: a thread for every row would be most of the work. */
let chain: Chain;
const closers: (() => Promise<void>)[] = [];

test.before(async (t) => {
  const owner = {
    teardown: (close: () => Promise<void>) => void closers.push(close),
    fail: (why: string) => void t.fail(why),
  };
  chain = await openChain(owner, {
    servers: rows.map(({ server }) => server),
    rows: rows.map(({ profile }) => profile ?? {}),
  });
});

test.after.always(() => Promise.all(closers.map((close) => close())));

for (const [i, { title, hears, cached }] of rows.entries()) {
  test(title, async (t) => {
    const server = chain.servers[i];
    const script = `
      C: RCPT TO:<known@example.com>
      S: ${hears}
    `;
    await chain.ask(script, `row${i}`);
    const before = traffic();
    await chain.ask(script, `row${i}`);
    t.is(traffic() === before, cached, cached ? 'it was asked again' : 'it was not asked again');

    function traffic(): number {
      return (server?.asked.length ?? 0) + (server?.sessions.length ?? 0);
    }
  });
}

test.serial('a refused connection is a failed one', async (t) => {
  const chain = await openChain(t, { profile: { validationTimeout: 3, servers: `${NOBODYS_ADDRESS}:2525` } });
  await t.notThrowsAsync(
    chain.ask(`
    C: RCPT TO:<known@example.com>
    S: 451 4.4.1
  `),
  );
});

test.serial(
  'the dialogue of a recipient that is not valid is logged under the reference that the sender got',
  async (t) => {
    const chain = await openChain(t);
    const transcript = await chain.ask(`
    C: RCPT TO:<nobody@example.com>
    S: 550 5.1.1
  `);
    const ref = /\((\w+)\)$/m.exec(transcript)?.[1];
    const dialogue = chain.events.find((event) => event.event === 'probe.dialogue' && event.ref === ref);
    t.true(dialogue?.event === 'probe.dialogue' && dialogue.lines.includes('C: RCPT TO:<nobody@example.com>'));
    t.true(dialogue?.event === 'probe.dialogue' && dialogue.lines.some((line) => line.startsWith('S: 550 5.1.1')));
  },
);

test.serial('a masked reply names neither the server nor what it said', async (t) => {
  const chain = await openChain(t, { servers: [rcpt('550 5.1.1 secret.internal does not know it')] });
  const transcript = await chain.ask(`
    C: RCPT TO:<nobody@example.com>
    S: 550 5.1.1
  `);
  t.notRegex(transcript, /secret|127\.0\.0\.1/);
});

test.serial('a recipient that the table refuses is refused without a connection', async (t) => {
  const chain = await openChain(t);
  await chain.ask(`
    C: RCPT TO:<known@elsewhere.example>
    S: 550 5.7.1
  `);
  t.is(chain.servers[0]?.sessions.length, 0);
});

test.serial('a bypassed recipient is accepted without a connection', async (t) => {
  const recipientAccess = {
    inbound: [
      { match: ['free@example.com'], action: 'accept', bypassCallAhead: true },
      { match: ['example.com'], action: 'accept' },
    ],
  };
  const chain = await openChain(t, { sections: { recipientAccess } });
  await chain.ask(`
    C: RCPT TO:<free@example.com>
    S: 250 2.1.5
  `);
  t.is(chain.servers[0]?.sessions.length, 0);
});

test.serial(
  'disconnect closes the session after the reply, and what was pipelined behind it is not answered',
  async (t) => {
    const profile = { onUnknown: { code: 550, text: '5.1.1 Goodbye', disconnect: true } };
    const chain = await openChain(t, { profile });
    const transcript = await chain.ask(`
    C: RCPT TO:<known@example.com>
    C: RCPT TO:<nobody@example.com>
    C: RCPT TO:<known@example.com>
    S: 250 2.1.5
    S: 550 5.1.1 Goodbye
    S: (closed)
  `);
    t.true(transcript.endsWith('(closed)'));
  },
);

test.serial('a later recipient that gets 452 is asked in a new transaction, and the limit is remembered', async (t) => {
  const users = Array.from({ length: 6 }, (_, i) => `u${i}@example.com`);
  const chain = await openChain(t, {
    servers: [
      { on: { RCPT: ({ session }) => (session.rcptsInTransaction > 2 ? '452 4.5.3 Too many' : '250 2.1.5 Ok') } },
    ],
  });
  await chain.ask(`
    ${users.map((user) => `C: RCPT TO:<${user}>`).join('\n')}
    ${users.map(() => 'S: 250 2.1.5').join('\n')}
  `);
  const asked = chain.servers[0]?.asked.length ?? 0;
  await chain.ask(`
    C: RCPT TO:<v1@example.com>
    C: RCPT TO:<v2@example.com>
    C: RCPT TO:<v3@example.com>
    S: 250 2.1.5
    S: 250 2.1.5
    S: 250 2.1.5
  `);
  t.is((chain.servers[0]?.asked.length ?? 0) - asked, 3);
});

test.serial('552 for a later recipient means enough for now, not over quota', async (t) => {
  const chain = await openChain(t, {
    servers: [
      { on: { RCPT: ({ session }) => (session.rcptsInTransaction > 1 ? '552 Too many recipients' : '250 2.1.5 Ok') } },
    ],
  });
  await t.notThrowsAsync(
    chain.ask(`
    C: RCPT TO:<a@example.com>
    C: RCPT TO:<b@example.com>
    S: 250 2.1.5
    S: 250 2.1.5
  `),
  );
});

test.serial('421 midway leaves what was answered as it is and asks the others again', async (t) => {
  let dropped = false;
  const chain = await openChain(t, {
    servers: [
      {
        on: {
          RCPT: ({ address }) => {
            if (address !== 'b@example.com' || dropped) return '250 2.1.5 Ok';
            dropped = true;
            return { reply: '421 4.3.2 Later', close: true };
          },
        },
      },
    ],
  });
  await chain.ask(`
    C: RCPT TO:<a@example.com>
    C: RCPT TO:<b@example.com>
    C: RCPT TO:<c@example.com>
    S: 250 2.1.5
    S: 250 2.1.5
    S: 250 2.1.5
  `);
  t.is(chain.servers[0]?.asked.filter((address) => address === 'a@example.com').length, 1);
});

test.serial(
  'a server that allows one recipient for the null sender is found out, and asked one by one from then on',
  async (t) => {
    const chain = await openChain(t, {
      servers: [
        {
          on: {
            RCPT: ({ session }) =>
              session.rcptsInTransaction > 1 ? '550 5.7.1 One recipient for bounces' : '250 2.1.5 Ok',
          },
        },
      ],
    });
    await chain.ask(`
    C: RCPT TO:<a@example.com>
    C: RCPT TO:<b@example.com>
    C: RCPT TO:<c@example.com>
    S: 250 2.1.5
    S: 250 2.1.5
    S: 250 2.1.5
  `);
    const asked = chain.servers[0]?.asked.length ?? 0;
    await chain.ask(`
    C: RCPT TO:<d@example.com>
    C: RCPT TO:<e@example.com>
    S: 250 2.1.5
    S: 250 2.1.5
  `);
    t.is((chain.servers[0]?.asked.length ?? 0) - asked, 2);
  },
);

test.serial(
  'a server that hangs up on a guesser does not make its last word a verdict about the innocent',
  async (t) => {
    const chain = await openChain(t, {
      servers: [
        {
          on: {
            RCPT: ({ address, session }) => {
              if (address.startsWith('known'))
                return session.rcpts > 2 ? { reply: '550 5.7.1 Too many errors', close: true } : '250 2.1.5 Ok';
              return '550 5.1.1 Nobody';
            },
          },
        },
      ],
      profile: { mailFrom: 'probe@gateway.example' },
    });
    await t.notThrowsAsync(
      chain.ask(`
    C: RCPT TO:<bad1@example.com>
    C: RCPT TO:<bad2@example.com>
    C: RCPT TO:<known@example.com>
    S: 550 5.1.1
    S: 550 5.1.1
    S: 250 2.1.5
  `),
    );
  },
);

test.serial('the second server answers when the first is gone', async (t) => {
  const chain = await openChain(t, {
    servers: [{ ...known, host: NOBODYS_ADDRESS }, known],
    profile: { mailFrom: 'probe@gateway.example' },
  });
  await chain.servers[0]?.stop();
  await chain.ask(`
    C: RCPT TO:<known@example.com>
    S: 250 2.1.5
    C: RCPT TO:<nobody@example.com>
    S: 550 5.1.1
  `);
  t.deepEqual(chain.servers[1]?.asked, ['known@example.com', 'nobody@example.com']);
});

test.serial('a temporary answer is asked of the next server too, and is told when that fails', async (t) => {
  const chain = await openChain(t, {
    servers: [rcpt('450 4.2.0 Later'), { on: { connect: () => ({ reply: '554 No', close: true }) } }],
  });
  await chain.ask(`
    C: RCPT TO:<known@example.com>
    S: 450 4.2.0
  `);
  t.is(chain.servers[1]?.sessions.length, 1);
});

test.serial('the fall-back sender is tried once where the server refuses the first, and remembered', async (t) => {
  const chain = await openChain(t, {
    servers: [{ ...known, on: { MAIL: ({ address }) => (address === '' ? '550 5.7.1 No bounces' : '250 2.1.0 Ok') } }],
    profile: { mailFromFallback: 'probe@gateway.example' },
  });
  await chain.ask(`
    C: RCPT TO:<known@example.com>
    S: 250 2.1.5
    C: RCPT TO:<nobody@example.com>
    S: 550 5.1.1
  `);
  const mails = chain.servers[0]?.sessions.flatMap((session) =>
    session.lines.filter((line) => line.startsWith('MAIL')),
  );
  t.is(mails?.filter((line) => line.includes('<>')).length, 1);
});

test.serial('a pipelined burst of known and unknown recipients is answered in order, one reply each', async (t) => {
  const chain = await openChain(t);
  const names = ['known', 'a', 'known', 'b', 'known', 'known', 'c'];
  await chain.ask(`
    ${names.map((name) => `C: RCPT TO:<${name}@example.com>`).join('\n')}
    ${names.map((name) => `S: ${name === 'known' ? '250 2.1.5' : '550 5.1.1'}`).join('\n')}
  `);
  t.is(new Set(chain.servers[0]?.asked).size, 4);
  t.is(
    chain.servers[0]?.asked.filter((address) => address === 'known@example.com').length,
    1,
    'equal questions share one probe',
  );
});

test.serial('multi-line replies cut at every octet are read as they were meant', async (t) => {
  const answer = '550-5.1.1 No such\r\n550-5.1.1 user\r\n550 5.1.1 here\r\n';
  let cut = 1;
  const chain = await openChain(t, {
    servers: [
      {
        on: {
          RCPT: async ({ session }) => {
            session.socket.write(answer.slice(0, cut));
            await new Promise((resolve) => setImmediate(resolve));
            return { raw: answer.slice(cut++) };
          },
        },
      },
    ],
    profile: { maxRejectionsPerSession: 1_000 },
  });
  for (let i = 1; i < answer.length; i++) {
    await chain.ask(`
      C: RCPT TO:<nobody${i}@example.com>
      S: 550 5.1.1
    `);
  }
  t.is(cut, answer.length);
});
