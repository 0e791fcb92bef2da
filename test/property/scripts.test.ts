/** Sessions of any commands, in any order and however their octets come, before the front door and the relay: one reply each, and nobody is lost. */
import test from 'ava';
import fc from 'fast-check';
import { type Client, connectClient, converse } from '../support/dialogue.ts';
import { knows } from '../support/front-door.ts';
import { isReplyLine } from '../support/heard.ts';
import { cut, dotStuff } from '../support/mail-data.ts';
import { openRelayedDoor, type RelayedDoor } from '../support/relayed-door.ts';
import {
  COMMANDS,
  createModel,
  DATA,
  EHLO,
  type Expected,
  hasToWait,
  MAIL,
  OUT_OF_STEP,
  RECIPIENTS,
  RSET,
} from '../support/session-model.ts';
import { shakeHands, tlsSettings } from '../support/tls-client.ts';
import { until } from '../support/until.ts';

const MOST_FAULTS = 10;
const BODIES = [
  { octets: '', code: 250 },
  { octets: '\r\n..\r\n...dots\r\n.. \r\n', code: 250 },
  { octets: '\r\n8 bits: \xc3\xbc\r\nQUIT\r\nRSET\r\n', code: 250 },
  { octets: '\r\nbare\n.\r\nRCPT TO:<known@example.com>\r\n', code: 550 },
  { octets: '\r\nbare\r.\r\n', code: 550 },
  { octets: 'Received: from a by b\r\n'.repeat(100), code: 554 },
];

/** `waits`: for the reply. `rude`: not even where it has to. */
const step = fc.record({
  command: fc.constantFrom(...COMMANDS),
  waits: fc.boolean(),
  rude: fc.nat(19).map((n) => n === 0),
  body: fc.constantFrom(...BODIES),
});

const INTRODUCTION = { command: EHLO, waits: true, rude: false, body: { octets: '', code: 250 } };

const transaction = fc
  .record({
    to: fc.array(fc.constantFrom(...RECIPIENTS), { minLength: 1, maxLength: 5 }),
    sends: fc.boolean(),
    like: step,
  })
  .map(({ to, sends, like }) => [RSET, MAIL, ...to, ...(sends ? [DATA] : [])].map((command) => ({ ...like, command })));
const script = fc.record({
  steps: fc
    .array(fc.oneof({ weight: 1, arbitrary: step.map((one) => [one]) }, { weight: 1, arbitrary: transaction }), {
      minLength: 5,
      maxLength: 20,
    })
    .map((parts) => parts.flat()),
  places: fc.array(fc.nat(1_000), { maxLength: 10 }),
  introduced: fc.nat(4).map((n) => n > 0),
});
type Script = typeof script extends fc.Arbitrary<infer T> ? T : never;

/** Octets that leave without a look at the replies, and what these must be. `whole`: in one segment; `secures`: a handshake follows. */
type Group = Readonly<{ octets: string; expected: readonly Expected[]; whole: boolean; secures: boolean }>;
type Message = Readonly<{ subject: string; recipients: readonly string[]; octets: string; code: number }>;
type Plan = Readonly<{ groups: readonly Group[]; messages: readonly Message[] }>;

let scripts = 0;

/** What a script says, and has to hear. */
function plan({ steps, introduced }: Script): Plan {
  const number = ++scripts;
  const model = createModel(MOST_FAULTS);
  const groups: Group[] = [];
  const messages: Message[] = [];
  let octets = '';
  let expected: Expected[] = [];
  let over = false;
  const leave = (how: Partial<Group> = {}): void => {
    if (octets !== '') groups.push({ octets, expected, whole: false, secures: false, ...how });
    octets = '';
    expected = [];
  };

  const all = introduced ? [INTRODUCTION, ...steps] : steps;
  for (const [i, { command, waits, rude, body }] of all.entries()) {
    octets += `${command.line}\r\n`;
    // What stands behind the end of a session is said all the same, and gets no reply.
    if (over) continue;
    const next = rude && hasToWait(command) ? all[i + 1]?.command : undefined;
    if (next !== undefined) {
      octets += `${next.line}\r\n`;
      expected.push(OUT_OF_STEP);
      leave({ whole: true });
      return { groups, messages };
    }
    const reply = model.obey(command);
    expected.push(reply);
    over = reply.last;
    if (hasToWait(command) || (waits && !over)) leave({ secures: reply.code === 220 });
    if (over && hasToWait(command)) break;
    if (reply.code !== 354) continue;
    const subject = `Subject: ${number}-${i}\r\n`;
    messages.push({ subject, recipients: model.recipients(), ...body });
    octets = `${subject}${dotStuff(body.octets)}.\r\n`;
    expected.push({ code: body.code, last: false, rcpt: false });
    model.endMessage();
  }
  leave();
  return { groups, messages };
}

type Guest = Readonly<{ client: Client; session: string }>;

async function enter({ port, events }: RelayedDoor): Promise<Guest> {
  const ids = (): readonly string[] =>
    events.flatMap((event) => (event.event === 'session.opened' ? [event.session] : []));
  const before = ids().length;
  const client = await connectClient(port);
  await until(() => ids().length > before);
  return { client, session: ids().at(-1) ?? '' };
}

/** Says it all, checks every reply, and returns the codes of those to RCPT. */
async function play(guest: Guest, { groups }: Plan, places: readonly number[]): Promise<readonly number[]> {
  let { client } = guest;
  const rcpts: number[] = [];
  let last = false;
  try {
    await hear(client, 220);
    for (const { octets, expected, whole, secures } of groups) {
      for (const segment of whole ? [Buffer.from(octets, 'latin1')] : cut(octets, places)) {
        client.socket.write(segment);
        await new Promise((resolve) => void setImmediate(resolve));
      }
      for (const reply of expected) {
        await hear(client, reply.code);
        if (reply.rcpt) rcpts.push(reply.code);
        last = reply.last;
      }
      if (secures) client = converse(await shakeHands(client.socket));
    }
    if (!last) {
      client.send('QUIT\r\n');
      await hear(client, 221);
    }
    const more = await client.line();
    if (more !== null) throw new Error(`nothing may come behind the last reply: ${more}`);
  } finally {
    client.close();
  }
  return rcpts;
}

/** The next reply, which is one and has this code. */
async function hear(client: Client, code: number): Promise<void> {
  const lines = await client.reply();
  const all = lines.every((line) => isReplyLine(line) && line.startsWith(String(code)));
  if (lines.length === 0 || !all) throw new Error(`${lines.join('|')} in place of ${code}\n${client.transcript()}`);
}

test('every command of any script gets its one reply, events tell of as many recipients, and who was promised a delivery has it', async (t) => {
  const door = await openRelayedDoor(
    t,
    [{ users: ['known', 'later', 'postmaster'].map((user) => `${user}@example.com`) }],
    {
      bench: { idleMs: 1_000 },
      door: {
        settings: { tls: tlsSettings('optional') },
        limits: { syntaxErrors: MOST_FAULTS, lookAhead: 3 },
        validate: async (request) => {
          if (request.recipient.local.startsWith('later')) await new Promise((resolve) => void setImmediate(resolve));
          return knows('known', 'later')(request);
        },
      },
    },
  );
  const messagesOf = () => door.servers.flatMap((server) => server.messages);
  await fc.assert(
    fc.asyncProperty(fc.array(script, { minLength: 3, maxLength: 6 }), async (several) => {
      const before = messagesOf().length;
      const plans = several.map(plan);
      const guests: Guest[] = [];
      for (const _ of plans) guests.push(await enter(door));
      const told = await Promise.all(
        guests.map((guest, i) => play(guest, plans[i] ?? { groups: [], messages: [] }, several[i]?.places ?? [])),
      );
      await until(() => door.listener.sessions() <= 0);
      for (const [i, rcpts] of told.entries()) {
        const session = guests[i]?.session;
        const codes = door.events.flatMap((event) =>
          (event.event === 'recipient.accepted' || event.event === 'recipient.rejected') && event.session === session
            ? [event.code]
            : [],
        );
        if (codes.join() !== rcpts.join()) throw new Error(`replies ${rcpts.join()}, events ${codes.join()}`);
      }
      const promised = plans.flatMap(({ messages }) => messages.filter(({ code }) => code === 250));
      const delivered = messagesOf().slice(before);
      for (const { subject, recipients, octets } of promised) {
        const found = delivered.filter(({ data }) => data.includes(subject));
        const data = found[0]?.data.toString('latin1') ?? '';
        const to = found.map((one) => one.recipients.join()).join(' and ');
        if (to !== recipients.join()) throw new Error(`${subject} is for ${recipients.join()}, and went to ${to}`);
        if (!data.endsWith(`${subject}${dotStuff(octets)}`)) throw new Error(`${subject} arrives as ${data}`);
      }
      if (delivered.length !== promised.length) throw new Error(`${delivered.length} delivered: ${promised.length}`);
    }),
    { numRuns: Number(process.env.PROPERTY_RUNS ?? 40), includeErrorInReport: true, interruptAfterTimeLimit: 100_000 },
  );
  t.true(messagesOf().length > 10, `${messagesOf().length} messages`);
});
