/** Harvest protection as a client meets it, with the configuration that a file has (SPEC 6.3). */
import test, { type ExecutionContext } from 'ava';
import { type Chain, openChain } from '../support/chain.ts';

type Options = Readonly<{
  limit?: number;
  dhap?: Readonly<Record<string, unknown>>;
  policy?: Readonly<Record<string, unknown>>;
}>;

/** Two listeners, `row0` and `row1`, before two servers. */
async function open(t: ExecutionContext, { limit = 3, dhap = {}, policy = {} }: Options): Promise<Chain> {
  const server = { users: ['known@example.com', 'other@example.com'], on: { RCPT: refuseFull } };
  const accepted = { maxInvalidRecipientsPerHour: limit, maxConnectionsPerHost: 'unlimited', dhap, ...policy };
  return openChain(t, {
    servers: [server, server],
    listener: { hostAccess: 'table' },
    rows: [{}, {}],
    sections: {
      hostAccess: {
        table: {
          senderGroups: [{ name: 'others', match: '127.0.0.0/8', policy: 'accepted' }],
          policies: { accepted },
        },
      },
    },
  });
}

function refuseFull({ address }: Readonly<{ address: string }>): string {
  if (address === 'known@example.com' || address === 'other@example.com') return '250 2.1.5 Ok';
  return address.startsWith('full') ? '554 5.7.1 Not you' : '550 5.1.1 No such user';
}

const guesses = (count: number, from = 0): string =>
  Array.from({ length: count }, (_, i) => `C: RCPT TO:<u${from + i}@example.com>\n`).join('');
const heard = (count: number, reply: string): string => `S: ${reply}\n`.repeat(count);
const DHAP = '450 4.7.1 Too many invalid recipients';
const BLOCKED = `
  C: RCPT TO:<known@example.com>
  S: ${DHAP}
  S: (closed)
`;

test.serial(
  'a client that guessed too often learns nothing more, at any listener and however often it comes again',
  async (t) => {
    const chain = await open(t, { limit: 3 });
    await chain.ask(`${guesses(2)}${heard(2, '550 5.1.1')}`, 'row0');
    await chain.ask('C: RCPT TO:<known@elsewhere.example>\nS: 550 5.7.1\n', 'row1');
    const asked = chain.servers.flatMap((server) => server.asked).length;
    for (const listener of ['row0', 'row1', 'row0']) await chain.ask(BLOCKED, listener);
    await chain.ask(`C: RCPT TO:<postmaster>\nS: ${DHAP}\nS: (closed)\n`, 'row1');
    t.is(chain.servers.flatMap((server) => server.asked).length, asked);
    const crossings = chain.events.filter(({ event }) => event === 'dhap.blocked');
    t.is(crossings.length, 1);
    t.like(crossings[0], {
      listener: 'row1',
      client: '127.0.0.1/32',
      group: 'others',
      policy: 'accepted',
      count: 3,
      samples: ['u0@example.com', 'u1@example.com', 'known@elsewhere.example'],
    });
    t.is(chain.events.filter((event) => event.event === 'recipient.rejected' && event.reason === 'dhap').length, 4);
  },
);

test.serial(
  'the threshold is exact in the middle of what was pipelined, and nothing behind it is answered',
  async (t) => {
    const chain = await open(t, { limit: 25 });
    await chain.ask(`${guesses(100)}C: DATA\n${heard(25, '550 5.1.1')}S: ${DHAP}\nS: (closed)\n`, 'row0');
    t.is(chain.events.filter(({ event }) => event === 'recipient.rejected').length, 26);
  },
);

test.serial(
  'a thousand guesses over many sessions are answered as far as the policy goes, and no server is asked any more',
  async (t) => {
    const chain = await open(t, { limit: 25, dhap: { disconnect: false } });
    for (let session = 0; session < 20; session++) {
      const own = Math.max(0, Math.min(50, 25 - session * 50));
      const script = `${guesses(50, session * 50)}${heard(own, '550 5.1.1')}${heard(50 - own, DHAP)}`;
      await chain.ask(`${script}C: QUIT\nS: 221\n`, 'row0');
    }
    t.is(chain.servers[0]?.asked.length, 50, 'the first session was asked ahead for');
    t.is(chain.events.filter(({ event }) => event === 'dhap.blocked').length, 1);
  },
);

const MIXED = `
  C: RCPT TO:<known@example.com>
  C: RCPT TO:<nobody@example.com>
  C: RCPT TO:<other@example.com>
  C: DATA
  S: 250 2.1.5
  S: 550 5.1.1
  S: ${DHAP}
`;

test.serial('what was accepted before the session is closed is not delivered', async (t) => {
  const chain = await open(t, { limit: 1 });
  await chain.ask(`${MIXED}\nS: (closed)`, 'row0');
  t.deepEqual(chain.servers[0]?.messages, []);
});

test.serial('where the session goes on DATA gets the harvest reply, and nobody gets the message', async (t) => {
  const chain = await open(t, { limit: 1, dhap: { disconnect: false } });
  await chain.ask(
    `${MIXED}
     S: ${DHAP}
     C: DATA
     S: 503 5.5.1
     C: MAIL FROM:<sender@client.example>
     S: 250 2.1.0
     C: RCPT TO:<known@example.com>
     S: ${DHAP}
     C: DATA
     S: 554 5.5.1
     C: QUIT
     S: 221`,
    'row0',
  );
  t.deepEqual(chain.servers[0]?.messages, []);
  const refused = chain.events.find(({ event }) => event === 'message.refused');
  t.like(refused, { recipients: 1, reason: 'dhap', reply: DHAP });
});

test.serial('a message that was allowed its last invalid recipient is delivered to the valid ones', async (t) => {
  const chain = await open(t, { limit: 1 });
  await chain.ask(
    `C: RCPT TO:<known@example.com>
     C: RCPT TO:<nobody@example.com>
     C: DATA
     S: 250 2.1.5
     S: 550 5.1.1
     S: 354
     C: Subject: hello
     C:
     C: .
     S: 250`,
    'row0',
  );
  t.is(chain.servers[0]?.messages.length, 1);
});

test.serial('the reply is the one of the policy, a 421 closes whatever is said of that', async (t) => {
  const text = { code: 554, text: '5.7.0 Enough guessing', disconnect: false };
  const chain = await open(t, { limit: 1, dhap: text });
  await t.notThrowsAsync(chain.ask(`${guesses(2)}S: 550 5.1.1\nS: 554 5.7.0 Enough guessing\nC: NOOP\nS: 250`, 'row0'));
  const closing = await open(t, { limit: 1, dhap: { code: 421, text: 'Enough', disconnect: false } });
  await t.notThrowsAsync(closing.ask(`${guesses(2)}S: 550 5.1.1\nS: /^421 4\\.\\d\\.\\d Enough/\nS: (closed)`, 'row0'));
});

const BOUNCE = `
  C: RSET
  S: 250
  C: MAIL FROM:<>
  S: 250 2.1.0
  C: RCPT TO:<nobody@example.com>
  S: 550 5.1.1
  C: RCPT TO:<known@example.com>
`;

test.serial('bounces count, unless the policy says otherwise', async (t) => {
  const counting = await open(t, { limit: 1 });
  await t.notThrowsAsync(counting.ask(`${BOUNCE}\nS: ${DHAP}\nS: (closed)`, 'row0'));
  const lenient = await open(t, { limit: 1, dhap: { nullSender: false } });
  await t.notThrowsAsync(lenient.ask(`${BOUNCE}\nS: 250 2.1.5`, 'row0'));
});

test.serial('refused recipients count where that is wanted', async (t) => {
  const script = 'C: RCPT TO:<full@example.com>\nS: 554 5.7.1\nC: RCPT TO:<known@example.com>\n';
  const usual = await open(t, { limit: 1 });
  await t.notThrowsAsync(usual.ask(`${script}S: 250 2.1.5`, 'row0'));
  const strict = await open(t, { limit: 1, dhap: { counts: ['rat', 'unknown', 'refused'] } });
  await t.notThrowsAsync(strict.ask(`${script}S: ${DHAP}\nS: (closed)`, 'row0'));
});

test.serial('an answer of the cache counts like one of the server', async (t) => {
  const chain = await open(t, { limit: 2 });
  for (let i = 0; i < 2; i++) await chain.ask('C: RCPT TO:<nobody@example.com>\nS: 550 5.1.1', 'row0');
  t.is(chain.servers[0]?.asked.length, 1);
  await chain.ask(BLOCKED, 'row0');
});

test.serial('who relays is neither counted nor blocked', async (t) => {
  const chain = await open(t, { limit: 1, policy: { action: 'relay' } });
  await chain.ask(`${guesses(3)}${heard(3, '250 2.1.5')}C: RCPT TO:<known@example.com>\nS: 250 2.1.5`, 'row0');
  t.is(chain.events.filter(({ event }) => event === 'dhap.blocked').length, 0);
});
