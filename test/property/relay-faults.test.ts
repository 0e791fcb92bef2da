/** Ten thousand messages, something goes wrong with each: at the next hop, on the way, or at the sender. Nothing that was acknowledged is missing. */
import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { type Client, connectClient } from '../support/dialogue.ts';
import type { FakeOptions, FakeServer, FakeSession, Move, Verb } from '../support/fake-server.ts';
import { openRelayedDoor, type RelayedDoor } from '../support/relayed-door.ts';
import { pick, seededRandom } from '../support/seeded.ts';
import { until } from '../support/until.ts';

const MESSAGES = 10_000;
const SENDERS = 100;
const MESSAGES_A_SESSION = 20;
const MAX_CONNECTIONS = 40;
const TIMEOUT_MS = 80;
const SEED = 20_260_101;

/** What goes wrong with a message; a connection has its own at the greeting and at EHLO. */
const POINTS = [
  'MAIL',
  'RCPT',
  'DATA',
  'middle',
  'DOT',
  'QUIT',
  'RSET',
  'sender in the middle',
  'sender at the end',
  'none',
] as const;
const FAULTS = ['4yz', '5yz', '421', 'close', 'reset', 'silent', 'late', 'garbage', 'yes and close'] as const;
type Trouble = Readonly<{ point: (typeof POINTS)[number]; fault: (typeof FAULTS)[number] }>;

/** `taken`: message numbers, once for each time that the next hop has it for certain, or may have it. */
type Sink = { server: FakeServer | null; taken: number[]; broken: string[] };

const plan = ((): readonly Trouble[] => {
  const random = seededRandom(SEED);
  return Array.from({ length: MESSAGES }, () => ({ point: pick(random, POINTS), fault: pick(random, FAULTS) }));
})();

function contentOf(number: number): string {
  const lines = Array.from({ length: 1 + (number % 40) }, (_, i) => (i % 5 === 0 ? `.${i}` : `line ${i} of ${number}`));
  return ['Subject: test', '', ...lines, `the end of ${number}`, ''].join('\r\n').replaceAll('\r\n.', '\r\n..');
}

function numberOf(session: FakeSession): number {
  return Number(/^m(\d+)@/.exec(session.mailFrom)?.[1] ?? -1);
}

async function moveOf(fault: Trouble['fault'], yes: string): Promise<Move> {
  switch (fault) {
    case '4yz':
      return '450 4.7.1 Later';
    case '5yz':
      return '554 5.7.1 No';
    case '421':
      return { reply: '421 4.3.2 Bye', close: true };
    case 'close':
      return { kind: 'close' };
    case 'reset':
      return { kind: 'reset' };
    case 'silent':
      return { kind: 'silent' };
    case 'late':
      await pause(2 * TIMEOUT_MS);
      return yes;
    case 'garbage':
      return { raw: 'what was that?\r\n' };
    case 'yes and close':
      return { reply: yes, close: true };
  }
}

const YES: Readonly<Partial<Record<Verb, string>>> = { DATA: '354 Go ahead' };

/** A next hop with the planned trouble for messages, and one of its own for a connection in twenty. */
function faulty(sink: Sink, seed: number): FakeOptions {
  const random = seededRandom(seed);
  const perConnection = () => (random() < 0.05 ? moveOf(pick(random, FAULTS), '250 Ok') : null);
  const perMessage =
    (verb: Verb) =>
    ({ session }: { session: FakeSession }) => {
      const trouble = plan[numberOf(session)];
      if (verb === 'DATA' && trouble?.point === 'middle') breakInTheMiddle(session, trouble.fault);
      return trouble?.point === verb ? moveOf(trouble.fault, YES[verb] ?? '250 2.0.0 Ok') : null;
    };
  return {
    on: {
      connect: perConnection,
      EHLO: perConnection,
      MAIL: perMessage('MAIL'),
      RCPT: perMessage('RCPT'),
      DATA: perMessage('DATA'),
      QUIT: perMessage('QUIT'),
      RSET: perMessage('RSET'),
      async DOT(command) {
        const trouble = plan[numberOf(command.session)];
        // A next hop that has stopped listening has no end of data.
        if (trouble?.point === 'middle' && !BREAKS.has(trouble.fault)) return { kind: 'silent' };
        keep(sink, command.session);
        if (trouble?.point === 'DOT' && ['4yz', '5yz', '421'].includes(trouble.fault)) sink.taken.pop();
        return perMessage('DOT')(command);
      },
    },
  };
}

function keep(sink: Sink, session: FakeSession): void {
  const number = numberOf(session);
  sink.taken.push(number);
  const data = sink.server?.messages.at(-1)?.data.toString('latin1') ?? '';
  if (!data.startsWith('Received: ') || !data.endsWith(`\r\n${contentOf(number)}`)) sink.broken.push(data);
}

/** The others have it fall silent in the middle of a message. */
const BREAKS: ReadonlySet<Trouble['fault']> = new Set(['4yz', '5yz', 'close', 'reset']);

function breakInTheMiddle({ socket }: FakeSession, fault: Trouble['fault']): void {
  socket.once('data', () => {
    if (fault === 'reset') socket.resetAndDestroy();
    else if (fault === 'close') socket.end();
    else if (BREAKS.has(fault)) socket.write(fault === '5yz' ? '554 5.7.1 No\r\n' : '450 4.7.1 Later\r\n');
  });
}

/** What a sender heard last about its message; `left`: it did not wait for it. */
async function sendOne(client: Client, number: number): Promise<string | 'left'> {
  const { point } = plan[number] ?? { point: 'none' };
  const content = contentOf(number);
  client.send(`MAIL FROM:<m${number}@client.example>\r\nRCPT TO:<known@example.com>\r\n`);
  await client.reply();
  await client.reply();
  client.send('DATA\r\n');
  const answer = await client.line();
  if (answer === null || !answer.startsWith('354')) return answer ?? 'left';
  const cut = number % content.length;
  client.send(content.slice(0, cut));
  await new Promise((resolve) => setImmediate(resolve));
  if (point === 'sender in the middle') {
    client.socket.resetAndDestroy();
    return 'left';
  }
  client.send(`${content.slice(cut)}.\r\n`);
  if (point === 'sender at the end') {
    client.socket.resetAndDestroy();
    return 'left';
  }
  return (await client.line()) ?? 'left';
}

async function sendAll({ port }: RelayedDoor, numbers: Iterator<number>, heard: Map<number, string>): Promise<void> {
  for (let next = numbers.next(); !next.done; ) {
    const client = await connectClient(port);
    await client.reply();
    client.send('EHLO client.example\r\n');
    await client.reply();
    for (let i = 0; i < MESSAGES_A_SESSION && !next.done && !client.socket.destroyed; i++) {
      heard.set(next.value, await sendOne(client, next.value));
      next = numbers.next();
    }
    client.close();
  }
}

test(`of ${MESSAGES} messages with each of which something goes wrong none is missing that was acknowledged, none is there that was returned`, async (t: ExecutionContext) => {
  t.timeout(300_000);
  const sinks: readonly Sink[] = [0, 1].map(() => ({ server: null, taken: [], broken: [] }));
  const door = await openRelayedDoor(
    t,
    sinks.map((sink, i) => faulty(sink, SEED + i)),
    {
      bench: {
        settings: {
          connectTimeoutMs: 2_000,
          commandTimeoutMs: TIMEOUT_MS,
          endOfDataTimeoutMs: TIMEOUT_MS,
          maxConnectionsPerServer: MAX_CONNECTIONS,
        },
        idleMs: 2_000,
      },
      door: { limits: { sessions: 1_000 } },
    },
  );
  for (const [i, sink] of sinks.entries()) sink.server = door.servers[i] ?? null;
  const heard = new Map<number, string>();
  const numbers = Array.from({ length: MESSAGES }, (_, i) => i).values();
  await Promise.all(Array.from({ length: SENDERS }, () => sendAll(door, numbers, heard)));
  await until(() => door.listener.sessions() === 0);

  const copies = new Map<number, number>();
  for (const number of sinks.flatMap(({ taken }) => taken)) copies.set(number, (copies.get(number) ?? 0) + 1);
  const count = (code: string): number[] => [...heard].filter(([, reply]) => reply.startsWith(code)).map(([n]) => n);
  const [acknowledged, returned] = [count('250'), count('5')];
  t.is(heard.size, MESSAGES);
  t.deepEqual(
    acknowledged.filter((number) => copies.get(number) !== 1),
    [],
    'each is there, once',
  );
  t.deepEqual(
    returned.filter((number) => copies.has(number)),
    [],
  );
  t.deepEqual(
    sinks.flatMap(({ broken }) => broken),
    [],
    'whole or not at all',
  );
  for (const { server } of sinks) t.true((server?.mostOpen() ?? 0) <= MAX_CONNECTIONS);
  const relayed = door.events.filter(({ event }) => event === 'message.relayed').length;
  const unacknowledged = door.events.filter(({ event }) => event === 'message.unacknowledged').length;
  t.true(relayed >= acknowledged.length && relayed <= acknowledged.length + count('left').length);
  t.log({
    acknowledged: acknowledged.length,
    returned: returned.length,
    later: count('4').length,
    left: count('left').length,
    unacknowledged,
  });
  // It would mean nothing if hardly anything arrived, or hardly anything went wrong.
  t.true(acknowledged.length > MESSAGES / 10 && returned.length > MESSAGES / 100 && unacknowledged > 0);
});
