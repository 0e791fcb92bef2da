/** How much memory do 200 messages of 30 MB take that pass through at once, while the next hop does not read and while it does? (90 s) */
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { type Client, connectClient } from '../test/support/dialogue.ts';
import { startSlowServer } from '../test/support/slow-server.ts';
import { startGateway } from './peers/gateway.ts';
import { answer } from './support/answer.ts';
import { megabytesOf } from './support/processes.ts';
import { figure } from './support/statistics.ts';
import { table } from './support/table.ts';

const MESSAGES = 200;
const MESSAGE_OCTETS = 30_000_000;
const CHUNK = Buffer.from(`${'x'.repeat(998)}\r\n`.repeat(1_000));
const LOOK_MS = 250;
/** By then every buffer on the way is full. */
const STILL_MS = 5_000;

const sink = await startSlowServer();
const gateway = await startGateway({
  sinkPort: sink.port,
  listener: { relay: true, postmaster: 'postmaster@example.com' },
  sections: {
    delivery: { maxConnectionsPerServer: MESSAGES },
    recipientAccess: { ours: [{ match: ['example.com'], action: 'accept', bypassCallAhead: true }] },
  },
});
const none = megabytesOf(gateway.pid);
const clients: Client[] = [];
for (let i = 0; i < MESSAGES; i++) clients.push(await begin(gateway.port));
const begun = megabytesOf(gateway.pid);

const sent = clients.map(send);
await setTimeout(STILL_MS);
const heldUp = megabytesOf(gateway.pid);
const startMs = performance.now();
sink.wake();
const { most, seconds } = await watch(Promise.all(sent), startMs);
if (sink.messages.length !== MESSAGES) throw new Error(`${sink.messages.length} messages arrived`);
for (const client of clients) client.close();
await gateway.stop();
await sink.stop();

const rows = [
  row('no session', none),
  row('every message has begun', begun),
  row('the next hop does not read', heldUp),
  row('the most while it does', most),
];
const rate = figure((MESSAGES * MESSAGE_OCTETS) / 1e6 / seconds);
answer('large', `${table(['', 'memory, MB', 'KB a message'], rows)}\n\n${rate} MB a second pass through.`);

async function begin(port: number): Promise<Client> {
  const client = await connectClient(port);
  await client.reply();
  for (const command of ['EHLO client.example', 'MAIL FROM:<s@client.example>', 'RCPT TO:<u@example.com>', 'DATA']) {
    client.send(`${command}\r\n`);
    const lines = await client.reply();
    if (!/^[23]/.test(lines[0] ?? '')) throw new Error(`${command}: ${lines.join()}`);
  }
  return client;
}

async function send({ socket }: Client): Promise<void> {
  for (let octets = 0; octets < MESSAGE_OCTETS; octets += CHUNK.length) {
    if (!socket.write(CHUNK)) await once(socket, 'drain');
  }
  socket.write('.\r\n');
  const [said] = (await once(socket, 'data')) as [Buffer];
  if (!said.toString().startsWith('250')) throw new Error(`the end of a message: ${said}`);
}

/** Looks at the gateway until all is sent. */
async function watch(all: Promise<unknown>, sinceMs: number): Promise<Readonly<{ most: number; seconds: number }>> {
  let most = 0;
  let over = false;
  const ended = all.finally(() => {
    over = true;
  });
  while (!over) {
    most = Math.max(most, megabytesOf(gateway.pid));
    await Promise.race([ended, setTimeout(LOOK_MS)]);
  }
  await ended;
  return { most, seconds: (performance.now() - sinceMs) / 1_000 };
}

function row(what: string, megabytes: number): string[] {
  return [what, figure(megabytes), figure(((megabytes - none) * 1024) / MESSAGES)];
}
