/** Clients that trickle, many at once and in every way there is: each is cut at its deadline, and others are served meanwhile. */
import test from 'ava';
import { type Client, openSession, play } from '../support/dialogue.ts';
import { fakeRelay, openFrontDoor } from '../support/front-door.ts';
import { tlsSettings } from '../support/tls-client.ts';
import { until } from '../support/until.ts';

const OF_EACH = 25;
const OCTET_MS = 20;
const DEADLINE_MS = 1_000;

/** What was said before, the octets that trickle, and the last words to them. */
const SLOW: readonly Readonly<{ before: readonly string[]; octets: string; told: RegExp | null }>[] = [
  { before: [], octets: 'EHLO ', told: /^421 4\.4\.2 / },
  { before: ['EHLO c.example', 'MAIL FROM:<>'], octets: 'RCPT TO:<known@example.com>', told: /^421 4\.4\.2 / },
  {
    before: ['EHLO c.example', 'MAIL FROM:<>', 'RCPT TO:<known@example.com>', 'DATA'],
    octets: 'Subject: slow\r\n',
    told: /^421 4\.4\.2 /,
  },
  // In the midst of a handshake there is no language to say it in.
  { before: ['EHLO c.example', 'STARTTLS'], octets: '\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03', told: null },
];

const HEALTHY = `
  S: 220
  C: EHLO c.example
  S: 250*
  C: MAIL FROM:<>
  S: 250 2.1.0
  C: RCPT TO:<known@example.com>
  S: 250 2.1.5
  C: DATA
  S: 354
  C: Subject: healthy
  C: .
  S: 250 2.0.0
  C: QUIT
  S: 221
`;

/** Sends the octets one by one, over and over again, until the other side has had enough. */
function trickle({ socket }: Client, octets: string): () => void {
  let at = 0;
  const timer = setInterval(() => {
    if (socket.writable) socket.write(octets[at++ % octets.length] ?? '', 'latin1');
  }, OCTET_MS);
  return () => clearInterval(timer);
}

test('a hundred clients that trickle are cut at their deadlines, and those who do not are served as ever', async (t) => {
  const relay = fakeRelay();
  const { port, listener } = await openFrontDoor(t, {
    relay,
    settings: { tls: tlsSettings('optional') },
    limits: { commandTimeoutMs: DEADLINE_MS, sessions: 4 * OF_EACH + 20 },
  });
  const slow = Array.from({ length: OF_EACH }, () => SLOW).flat();
  const ends = slow.map(async ({ before, octets, told }) => {
    const client = await openSession(t, port, ...before);
    const startMs = performance.now();
    t.teardown(trickle(client, octets));
    const last = await client.line();
    if (told === null) t.is(last, null);
    else t.regex(last ?? '', told);
    return performance.now() - startMs;
  });
  await until(() => listener.sessions() === slow.length);
  let served = 0;
  let over = false;
  const tooks = Promise.all(ends).finally(() => {
    over = true;
  });
  for (; !over; served++) await play(port, HEALTHY);
  for (const tookMs of await tooks) {
    t.true(tookMs >= DEADLINE_MS * 0.8, `one is cut after ${tookMs} ms already`);
    t.true(tookMs < DEADLINE_MS + 5_000, `one is cut after ${tookMs} ms only`);
  }
  t.true(served >= 3, `${served} healthy sessions`);
  t.is(relay.deliveries.length, served);
  t.false(
    relay.deliveries.some(({ data }) => data.includes('slow')),
    'nothing slow is delivered',
  );
  await until(() => listener.sessions() <= 0);
});
