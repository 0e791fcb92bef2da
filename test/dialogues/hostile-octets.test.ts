/** Octets that are nearly a session, in every state of one: it ends, or goes on, and the next client notices nothing. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test, { type ExecutionContext } from 'ava';
import { createCertificates } from '../support/certificates.ts';
import { type Chain, openChain } from '../support/chain.ts';
import { temporaryFolder } from '../support/debian.ts';
import { type Client, connectClient, openSession } from '../support/dialogue.ts';
import { before } from '../support/gateway-settings.ts';
import { isReplyLine } from '../support/heard.ts';
import { cut } from '../support/mail-data.ts';
import { mutate } from '../support/mutate.ts';
import { proxyLine } from '../support/proxy-headers.ts';
import { seededRandom } from '../support/seeded.ts';
import { secured } from '../support/tls-client.ts';
import { until } from '../support/until.ts';

const SEED = Number(process.env.PROPERTY_SEED ?? Date.now());
const ROUNDS = Math.max(2, Number(process.env.PROPERTY_RUNS ?? 6));
/** Sessions of each state that are open at once. */
const AT_ONCE = 6;
/** What a session may leave on the average, the events that the test keeps of it included: less than one buffer. */
const LEFT_BYTES = 24 * 1024;

const HELLO = 'EHLO client.example';
const MAIL = 'MAIL FROM:<a@client.example> SIZE=100 BODY=8BITMIME';
const RCPT = 'RCPT TO:<known@example.com>';
const RCPTS = 'RCPT TO:<known@example.com>\r\nRCPT TO:<"no body"@example.com>\r\n';
const DATA = 'DATA';
const MESSAGE = 'Received: from a by b\r\nSubject: x\r\n\r\n..dots\r\ntext \xc3\xbc\r\n.\r\n';
/** What is still a client's to say, whatever the octets before it did. */
const EPILOGUE = '\r\n.\r\nNOOP\r\nQUIT\r\n';

type State = Readonly<{
  name: string;
  listener: string;
  enter(port: number): Promise<Client>;
  /** What would be sound in it. */
  sound: string | Buffer;
}>;

/** Clients are gone when they have been heard: none is kept for the end of the test. */
const NOBODY = { teardown: () => {} };
const after =
  (...commands: readonly string[]) =>
  (port: number): Promise<Client> =>
    openSession(NOBODY, port, ...commands);

async function encrypted(port: number): Promise<Client> {
  const client = await secured(await openSession(NOBODY, port, HELLO));
  client.send(`${HELLO}\r\n`);
  await client.reply();
  return client;
}

function statesOf(clientHello: Buffer): readonly State[] {
  const many = `${MAIL}\r\n${RCPTS}RSET\r\nVRFY x\r\nMAIL FROM:<>\r\n${RCPTS}`;
  const inbound = { listener: 'inbound' };
  return [
    { ...inbound, name: 'before the greeting', enter: connectClient, sound: `${HELLO}\r\n` },
    { ...inbound, name: 'greeted', enter: after(), sound: `NOOP\r\nHELP\r\n${MAIL}\r\nRSET\r\n${HELLO}\r\n` },
    { ...inbound, name: 'introduced', enter: after(HELLO), sound: many },
    { ...inbound, name: 'in a transaction', enter: after(HELLO, MAIL), sound: `${RCPTS}RSET\r\n${many}` },
    { ...inbound, name: 'with a recipient', enter: after(HELLO, MAIL, RCPT), sound: `${RCPTS}${DATA}\r\n` },
    { ...inbound, name: 'in a message', enter: after(HELLO, MAIL, RCPT, DATA), sound: `${MESSAGE}${many}` },
    { ...inbound, name: 'in a handshake', enter: after(HELLO, 'STARTTLS'), sound: clientHello },
    { ...inbound, name: 'encrypted', enter: encrypted, sound: many },
    { name: 'with TLS first', listener: 'implicit', enter: connectClient, sound: clientHello },
    { name: 'behind a proxy', listener: 'proxied', enter: connectClient, sound: proxyLine('192.0.2.1') },
  ];
}

/** What a client of TLS says first. */
async function recordClientHello(): Promise<Buffer> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const client = connectTls({ port, host: '127.0.0.1' }).on('error', () => {});
  const [socket] = await once(server, 'connection');
  const [hello] = await once(socket, 'data');
  client.destroy();
  socket.destroy();
  server.close();
  return hello;
}

async function open(t: ExecutionContext): Promise<Chain> {
  const folder = await temporaryFolder('octets');
  t.teardown(folder.remove);
  const { key, cert } = await createCertificates(folder.path, ['mx.gateway.example']);
  const limits = { commandTimeout: '500ms', idleTimeout: '500ms' };
  const file = before('127.0.0.1:1');
  const { inbound } = file.listeners;
  const like = (more: Readonly<Record<string, unknown>>) => ({ ...inbound, limits, ...more });
  return openChain(t, {
    servers: [{ users: ['known@example.com'] }],
    sections: {
      listeners: {
        inbound: like({ tls: { mode: 'optional', key, cert } }),
        implicit: like({ tls: { mode: 'implicit', key, cert } }),
        proxied: like({ proxyProtocol: { trusted: ['127.0.0.0/8'] } }),
      },
      delivery: { tls: { mode: 'off' } },
    },
  });
}

/** Says mutated octets, and then what anybody may say; all that the session said then, to its end. */
async function go(port: number, { enter, sound }: State, random: () => number): Promise<readonly string[]> {
  const client = await enter(port);
  const worse = mutate(Buffer.isBuffer(sound) ? sound : Buffer.from(sound, 'latin1'), random);
  const places = [random(), random()].map((part) => Math.floor(part * worse.length));
  for (const segment of cut(`${worse.toString('latin1')}${EPILOGUE}`, places)) {
    client.socket.write(segment);
    await new Promise((resolve) => void setImmediate(resolve));
  }
  const lines: string[] = [];
  for (let line = await client.line(); line !== null; line = await client.line()) lines.push(line);
  client.close();
  return lines;
}

/** From there on it is a handshake or an alert of TLS, in which line ends are chance. */
const TLS_BEGINS = ['220 2.0.0', '\x15\x03', '\x16\x03'];

/** Why this is no end of a session; null: it is one. */
function fault(lines: readonly string[]): string | null {
  const tls = lines.findIndex((line) => TLS_BEGINS.some((beginning) => line.startsWith(beginning)));
  const plain = tls < 0 ? lines : lines.slice(0, tls);
  const strange = plain.find((line) => !isReplyLine(line));
  if (strange !== undefined) return `no reply: ${JSON.stringify(strange)}`;
  const last = lines.at(-1) ?? '';
  if (last.startsWith('221') && !lines.at(-2)?.startsWith('250 2.0.0')) return `NOOP gets ${lines.at(-2)}`;
  return plain.length < lines.length || /^(?:$|221 |421 |554 5\.5\.0|500 5\.5\.2|220 )/.test(last)
    ? null
    : `the end is ${last}`;
}

function active(kind: string): number {
  return process.getActiveResourcesInfo().filter((name) => name === kind).length;
}

function usedBytes(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed + process.memoryUsage().external;
}

test.serial('mutated octets end a session or are answered, whatever its state, and leave nothing behind', async (t) => {
  t.log(`PROPERTY_SEED=${SEED}`);
  const chain = await open(t);
  const states = statesOf(await recordClientHello());
  const warnings: string[] = [];
  const warn = (warning: Error): void => void warnings.push(warning.message);
  process.on('warning', warn);
  t.teardown(() => process.off('warning', warn));
  const count = (...wanted: readonly string[]): number =>
    chain.events.filter(({ event }) => wanted.includes(event)).length;
  const health = 'C: RCPT TO:<known@example.com>\nS: 250\nC: DATA\nS: 354\nC: .\nS: 250\nC: QUIT\nS: 221';
  await chain.ask(health);
  const timers = active('Timeout');
  let bytes = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const sessions = states.flatMap((state, s) =>
      Array.from({ length: AT_ONCE }, async (_, i) => {
        const seed = SEED + round * 10_000 + s * 100 + i;
        const going = go(chain.portOf(state.listener), state, seededRandom(seed));
        const why = await going.then(fault, (error: Error) => error.message);
        return why === null ? [] : [`${state.name}: ${why}`];
      }),
    );
    await chain.ask(health);
    t.deepEqual((await Promise.all(sessions)).flat(), []);
    await until(() => count('session.opened') === count('session.closed'));
    if (round === 0) bytes = usedBytes();
  }
  await until(() => active('TCPSocketWrap') === 0);
  await until(() => active('Timeout') <= timers);
  const left = (usedBytes() - bytes) / ((ROUNDS - 1) * AT_ONCE * states.length);
  t.true(left < LEFT_BYTES, `${Math.round(left)} bytes a session`);
  t.is(count('thread.replaced', 'actor.crashed'), 0);
  t.is(chain.servers[0]?.messages.length, count('message.relayed', 'message.unacknowledged'));
  t.deepEqual(warnings, []);
});
