/** Clients that go, by FIN and by RST, at every step of a session: nothing of them stays, and nothing of their mail is taken by halves. */
import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createCertificate } from '../support/certificates.ts';
import { type Chain, openChain } from '../support/chain.ts';
import { temporaryFolder } from '../support/debian.ts';
import { type Client, connectClient, converse } from '../support/dialogue.ts';
import { shakeHands } from '../support/tls-client.ts';
import { until } from '../support/until.ts';

/** Few, so that one that is not given back is missed at once. */
const CREDITS = 4;

async function open(t: ExecutionContext): Promise<Chain> {
  const folder = await temporaryFolder('departures');
  t.teardown(folder.remove);
  const { key, cert } = createCertificate({ names: ['mx.gateway.example'] });
  const files = { key: join(folder.path, 'key.pem'), cert: join(folder.path, 'cert.pem') };
  writeFileSync(files.key, key);
  writeFileSync(files.cert, cert);
  return openChain(t, {
    servers: [
      {
        users: ['known@example.com', 'postmaster@example.com'],
        on: { RCPT: ({ address }) => (address.startsWith('slow') ? { kind: 'silent' } : null) },
      },
    ],
    profile: { validationTimeout: '1s', negativeCacheTtl: '60s' },
    listener: { tls: { mode: 'optional', ...files } },
    sections: { engine: { threads: 1, maxPending: CREDITS }, delivery: { tls: { mode: 'off' } } },
  });
}

type Step = Readonly<{ name: string; octets: readonly (string | Buffer | 'handshake' | 'reply')[] }>;

const HELLO = ['reply', 'EHLO client.example\r\n', 'reply'];
// Nobody is asked about the postmaster, and so nobody who is slow is in the way.
const RCPT = [...HELLO, 'MAIL FROM:<>\r\n', 'reply', 'RCPT TO:<postmaster>\r\n', 'reply'];
const DATA = [...RCPT, 'DATA\r\n', 'reply'];
const STEPS: readonly Step[] = [
  { name: 'before the greeting', octets: [] },
  { name: 'after the greeting', octets: ['reply'] },
  { name: 'in the midst of EHLO', octets: ['reply', 'EHLO client'] },
  { name: 'without hearing what EHLO gets', octets: ['reply', 'EHLO client.example\r\n'] },
  { name: 'after STARTTLS', octets: [...HELLO, 'STARTTLS\r\n'] },
  {
    name: 'in the midst of a handshake',
    octets: [...HELLO, 'STARTTLS\r\n', 'reply', Buffer.from('1603010200010001', 'hex')],
  },
  { name: 'encrypted', octets: [...HELLO, 'STARTTLS\r\n', 'reply', 'handshake'] },
  {
    name: 'encrypted, with a recipient',
    octets: [
      ...HELLO,
      'STARTTLS\r\n',
      'reply',
      'handshake',
      'EHLO client.example\r\n',
      'reply',
      'MAIL FROM:<>\r\n',
      'reply',
      'RCPT TO:<slow-tls@example.com>\r\n',
    ],
  },
  { name: 'after MAIL', octets: [...HELLO, 'MAIL FROM:<>\r\n'] },
  {
    name: 'while a server is asked',
    octets: [...HELLO, 'MAIL FROM:<>\r\nRCPT TO:<slow@example.com>\r\nRCPT TO:<nobody@example.com>\r\n', 'reply'],
  },
  { name: 'after RCPT', octets: RCPT },
  { name: 'without hearing what DATA gets', octets: [...RCPT, 'DATA\r\n'] },
  { name: 'before the message', octets: DATA },
  { name: 'in the midst of the message', octets: [...DATA, 'Subject: half\r\n\r\nhal'] },
  { name: 'in the midst of the end of the message', octets: [...DATA, 'Subject: half\r\n\r\nhalf\r\n.\r'] },
  { name: 'without hearing what the message gets', octets: [...DATA, 'Subject: whole\r\n\r\nwhole\r\n.\r\n'] },
  { name: 'after QUIT', octets: ['reply', 'QUIT\r\n'] },
];

async function go(port: number, { octets }: Step, how: 'FIN' | 'RST'): Promise<void> {
  const client = await connectClient(port);
  let socket: Socket = client.socket;
  socket.on('error', () => {});
  let talk: Client = client;
  for (const each of octets) {
    if (each === 'reply') await talk.reply();
    else if (each === 'handshake') {
      const secure = await shakeHands(socket);
      secure.on('error', () => {});
      socket = secure;
      talk = converse(secure);
    } else await new Promise<void>((resolve) => void socket.write(each, 'latin1', () => resolve()));
  }
  const closed = new Promise<void>((resolve) => void client.socket.once('close', () => resolve()));
  if (how === 'RST') client.socket.resetAndDestroy();
  else socket.end();
  client.socket.resume();
  await closed;
}

function count(chain: Chain, wanted: string): number {
  return chain.events.filter(({ event }) => event === wanted).length;
}

function active(kind: string): number {
  return process.getActiveResourcesInfo().filter((name) => name === kind).length;
}

test.serial(
  'whoever goes, at whatever step and however, leaves no session, no socket, no timer and no credit behind',
  async (t) => {
    const chain = await open(t);
    // What a gateway has that has worked once.
    await chain.ask(
      'C: RCPT TO:<known@example.com>\nS: 250\nC: DATA\nS: 354\nC: Subject: first\nC: .\nS: 250\nC: QUIT\nS: 221',
    );
    await until(() => count(chain, 'session.closed') === 1);
    await until(() => chain.servers[0]?.open() === 0);
    const timers = active('Timeout');
    for (const how of ['FIN', 'RST'] as const) {
      for (const step of STEPS) await go(chain.port, step, how);
    }
    await until(() => count(chain, 'session.opened') === count(chain, 'session.closed'));
    t.is(count(chain, 'session.opened'), 1 + 2 * STEPS.length);

    // Connections to the server wait for more for a while, and then there are none.
    await until(() => chain.servers[0]?.open() === 0);
    await until(() => active('TCPSocketWrap') === 0);
    await until(() => active('Timeout') <= timers);

    const messages = chain.servers[0]?.messages ?? [];
    t.true(
      messages.every(({ data }) => /Subject: (?:first|whole)/.test(data.toString())),
      'no half of a message was taken',
    );
    // A reset throws away what was sent before it, so that message may have come or not.
    t.true(
      messages.length === 2 || messages.length === 3,
      JSON.stringify([
        messages.map((m) => m.data.toString().slice(-30)),
        chain.events
          .filter((e) => /message|recipient|refused|client.error|secured/.test(e.event))
          .map((e) => JSON.stringify(e).slice(0, 200)),
      ]),
    );

    // As many at once as there are credits, none of which is cached: one that was not given back would be an overload.
    const rcpts = Array.from({ length: CREDITS / 4 }, (_, i) => `C: RCPT TO:<after${i}@example.com>\nS: 550 5.1.1\n`);
    await chain.ask(rcpts.join(''));
    await chain.ask(`${rcpts.join('')}C: RCPT TO:<known@example.com>\nS: 250\nC: QUIT\nS: 221`);
  },
);

test.serial('a port scan of a thousand connections that never say a word leaves nothing behind', async (t) => {
  const chain = await open(t);
  for (let round = 0; round < 10; round++) {
    const sockets = await Promise.all(
      Array.from(
        { length: 100 },
        () =>
          new Promise<Socket>((resolve, reject) => {
            const socket = connect(chain.port, '127.0.0.1', () => resolve(socket));
            socket.on('error', reject);
          }),
      ),
    );
    for (const [i, socket] of sockets.entries()) {
      if (i % 2 === 0) socket.resetAndDestroy();
      else socket.destroy();
    }
  }
  await chain.play('S: 220\nC: QUIT\nS: 221\nS: (closed)');
  await until(() => count(chain, 'session.opened') === count(chain, 'session.closed'));
  await until(() => active('TCPSocketWrap') === 0);
  // Who is reset before anybody looked at it has never been a session.
  t.true(count(chain, 'session.opened') >= 501);
});
