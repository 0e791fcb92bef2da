/**
 * Every mix of CR, LF, NUL and dots in a message, cut at every octet, through the front door and the relay to a server that takes nearly anything for an
 * end of data: one message or none, as it was written, never two (SPEC 7.5).
 */
import test, { type ExecutionContext } from 'ava';
import { type Client, openSession } from '../support/dialogue.ts';
import { openFrontDoor } from '../support/front-door.ts';
import { type LaxServer, startLaxServer } from '../support/lax-server.ts';
import { dotUnstuff, hasBareNewline, splitAtEnd, withCrlf } from '../support/mail-data.ts';
import { serverAt, startRelay } from '../support/relays.ts';

const ALPHABET = ['\r', '\n', '\0', '.'];
const BEFORE = 'Subject: x\r\n\r\nbefore';
/** What a careless server would obey, once it thinks that the message is over. */
const BEHIND = 'MAIL FROM:<smuggled@evil.example>\r\nRCPT TO:<known@example.com>\r\nDATA\r\nsmuggled\r\n';
const SENDERS = 8;

function sequences(length: number): readonly string[] {
  if (length === 0) return [''];
  return sequences(length - 1).flatMap((shorter) => ALPHABET.map((octet) => `${shorter}${octet}`));
}

/** A message cut into pieces, each of which is a write of its own. */
type Variant = Readonly<{ sequence: string; pieces: readonly string[] }>;

/** Whole, cut in two at every octet around the sequence, and cut everywhere there. */
function* variants(): Generator<Variant> {
  for (let length = 1; length <= 4; length++) {
    for (const sequence of sequences(length)) {
      const whole = `${BEFORE}${sequence}${BEHIND}\r\n.\r\n`;
      for (let cut = BEFORE.length - 1; cut <= BEFORE.length + length + 1; cut++) {
        yield { sequence, pieces: [whole.slice(0, cut), whole.slice(cut)] };
      }
    }
  }
  for (const sequence of [...sequences(5), ...sequences(6).filter(surroundsADot)]) {
    yield { sequence, pieces: [BEFORE, ...sequence, `${BEHIND}\r\n.\r\n`] };
  }
}

/** Of the longer ones only those that look like an end of data to somebody. */
function surroundsADot(sequence: string): boolean {
  return /^[\r\n][\r\n\0]*\.[\r\n\0]*[\r\n]$/.test(sequence);
}

for (const bareNewline of ['reject', 'normalize'] as const) {
  test(`every mix of CR, LF, NUL and dots, cut anywhere, is one message or none to a careless next hop (${bareNewline})`, async (t) => {
    t.timeout(300_000);
    const sink = await startLaxServer();
    t.teardown(sink.stop);
    const bench = await startRelay(t, [], { idleMs: 1_000 });
    const route = { ...bench.route, tiers: [[serverAt(sink.port)]] };
    const { port } = await openFrontDoor(t, {
      relay: bench.relay,
      locate: ({ recipient }) => ({ kind: 'ask', recipient, route }),
      settings: { bareNewline },
      limits: { sessions: 10_000, syntaxErrors: 1_000 },
    });
    const queue = [...variants()].entries();
    await Promise.all(Array.from({ length: SENDERS }, () => sendAll(t, { port, sink, queue, bareNewline })));
    t.false(
      sink.messages.some(({ mailFrom }) => mailFrom.includes('evil')),
      'nothing is smuggled',
    );
    t.log(`${sink.messages.length} messages taken`);
    t.true(sink.messages.length > 100);
  });
}

type Run = Readonly<{
  port: number;
  sink: LaxServer;
  queue: Iterator<[number, Variant]>;
  bareNewline: 'reject' | 'normalize';
}>;

async function sendAll(t: ExecutionContext, { port, sink, queue, bareNewline }: Run): Promise<void> {
  let client: Client | null = null;
  for (let next = queue.next(); !next.done; next = queue.next()) {
    const [number, { sequence, pieces }] = next.value;
    client ??= await openSession(t, port, 'EHLO client.example');
    const sender = `m${number}@client.example`;
    const reply = await sendPieces(client, sender, pieces);
    const received = splitAtEnd(pieces.join(''));
    if (received === null) throw new Error('a message without an end');
    const arrived = sink.messages.filter(({ mailFrom }) => mailFrom === sender);
    check(t, { sequence, message: received.message, reply, bareNewline, arrived: arrived.map(({ data }) => data) });
    // What is behind a true end are the client's own next commands.
    if (received.rest !== '') {
      client.close();
      client = null;
    }
  }
  client?.close();
}

async function sendPieces(client: Client, sender: string, pieces: readonly string[]): Promise<string> {
  client.send(`MAIL FROM:<${sender}>\r\nRCPT TO:<known@example.com>\r\n`);
  await client.line();
  await client.line();
  client.send('DATA\r\n');
  await client.line();
  for (const piece of pieces) {
    client.send(piece);
    // What is written in one turn arrives as one.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return (await client.line()) ?? 'closed';
}

type Outcome = Readonly<{
  sequence: string;
  message: string;
  reply: string;
  bareNewline: 'reject' | 'normalize';
  arrived: readonly string[];
}>;

function check(t: ExecutionContext, { sequence, message, reply, bareNewline, arrived }: Outcome): void {
  const about = JSON.stringify(sequence);
  const isBare = hasBareNewline(message);
  if (isBare && bareNewline === 'reject') t.regex(reply, /^550 5\.5\.2/, about);
  else if (!message.includes('\0')) t.regex(reply, /^250/, about);
  if (!reply.startsWith('250')) {
    t.regex(reply, /^5/, about);
    t.deepEqual(arrived, [], about);
    return;
  }
  // The last line end is the terminator's first half to the careless one.
  const [data = '', ...others] = arrived;
  t.deepEqual(others, [], about);
  const content = data.slice(data.indexOf('\r\nSubject: x') + 2);
  t.is(dotUnstuff(`${content}\r\n`), withCrlf(dotUnstuff(message)), about);
}
