/** More clients than there may be, and more than there are descriptors for: who is in stays in, the others hear 421 or nothing, and it passes. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { type Client, converse, openSession, play } from '../support/dialogue.ts';
import { startFakeServer } from '../support/fake-server.ts';
import { openFrontDoor } from '../support/front-door.ts';
import { startGateway } from '../support/gateway.ts';
import { before } from '../support/gateway-settings.ts';
import { until } from '../support/until.ts';

function flood(t: ExecutionContext, port: number, count: number): readonly Socket[] {
  const sockets = Array.from({ length: count }, () => connect(port, '127.0.0.1').on('error', () => {}));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  return sockets;
}

async function ask(client: Client, command: string): Promise<string> {
  client.send(`${command}\r\n`);
  return (await client.reply()).at(-1) ?? '(closed)';
}

test.serial(
  'of ten times as many clients as may be the others hear 421 at once, and who is served goes on being served',
  async (t) => {
    const most = 30;
    const { port, listener } = await openFrontDoor(t, { limits: { sessions: most } });
    const inside = await Promise.all(
      Array.from({ length: most }, () => openSession(t, port, 'EHLO c.example', 'MAIL FROM:<>')),
    );
    const startMs = performance.now();
    const outside = flood(t, port, 10 * most).map(converse);
    const told = Promise.all(outside.map(async (client) => [await client.line(), await client.line()]));
    for (const client of inside) t.regex(await ask(client, 'RCPT TO:<known@example.com>'), /^250/);
    for (const [line, end] of await told) {
      t.regex(line ?? '', /^421 4\.3\.2 /);
      t.is(end, null);
    }
    t.true(performance.now() - startMs < 5_000);
    t.is(listener.sessions(), most);
    for (const client of inside) t.regex(await ask(client, 'QUIT'), /^221/);
    await until(() => listener.sessions() === 0);
    await play(port, 'S: 220\nC: QUIT\nS: 221');
  },
);

const DESCRIPTORS = 200;

test.serial(
  'a gateway that runs out of descriptors goes on with those who are in, and is itself again when they leave',
  async (t) => {
    const server = await startFakeServer({ users: ['known@example.com', 'other@example.com'] });
    t.teardown(server.stop);
    const gateway = await startGateway({
      ...before(server.at, { breaker: { failures: 5, maxPause: '1s' } }),
      drainTimeout: 1,
    });
    const port = gateway.port('inbound');
    const idle = descriptors(gateway.pid);
    const inside = await openSession(t, port, 'EHLO c.example', 'MAIL FROM:<>');
    execFileSync('prlimit', ['--pid', String(gateway.pid), `--nofile=${DESCRIPTORS}:${DESCRIPTORS}`]);

    const sockets = flood(t, port, 3 * DESCRIPTORS);
    await until(() => descriptors(gateway.pid) >= DESCRIPTORS - 1);
    t.regex(
      await ask(inside, 'RCPT TO:<known@example.com>'),
      /^(?:250 2\.1\.5|451 4\.\d\.\d) /,
      'no server can be reached, and nothing is said of the recipient',
    );
    t.regex(await ask(inside, 'NOOP'), /^250/);

    for (const socket of sockets) socket.destroy();
    await until(() => descriptors(gateway.pid) < DESCRIPTORS / 2);
    const freeMs = performance.now();
    for (let asked = ''; !asked.startsWith('250'); ) {
      asked = await ask(inside, 'RCPT TO:<other@example.com>');
      if (performance.now() - freeMs > 10_000) throw new Error(`it does not recover: ${asked}`);
    }
    await play(
      port,
      'S: 220\nC: EHLO c.example\nS: 250*\nC: MAIL FROM:<>\nS: 250\nC: RCPT TO:<known@example.com>\nS: 250\nC: QUIT\nS: 221',
    );
    t.regex(await ask(inside, 'QUIT'), /^221/);
    await until(() => descriptors(gateway.pid) <= idle + 10);
    await gateway.stop();
    t.false(gateway.log.some(({ event }) => event === 'thread.replaced'));
    t.true(gateway.log.length < 20 * DESCRIPTORS, 'what cannot be accepted does not fill the log');
  },
);

function descriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
