import { createServer } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { type Client, connectClient, openSession } from '../support/dialogue.ts';
import { startFakeServer } from '../support/fake-server.ts';
import { type RunningGateway, startGateway } from '../support/gateway.ts';
import { before, type GatewayFile } from '../support/gateway-settings.ts';

/** A gateway that may drain for a minute, before a server that knows one user. */
async function serve(t: ExecutionContext, environment: NodeJS.ProcessEnv = {}): Promise<RunningGateway> {
  const server = await startFakeServer({ users: ['known@example.com'] });
  t.teardown(server.stop);
  const gateway = await startGateway({ drainTimeout: 60, ...before(server.at) }, environment);
  t.teardown(gateway.kill);
  return gateway;
}

function session(t: ExecutionContext, gateway: RunningGateway, ...commands: readonly string[]): Promise<Client> {
  return openSession(t, gateway.port('inbound'), 'EHLO client.example', ...commands);
}

const MAIL = 'MAIL FROM:<sender@client.example>';
const RCPT = 'RCPT TO:<known@example.com>';

test('SIGTERM: idle sessions go, a message under way arrives, and the exit code is 0', async (t) => {
  const gateway = await serve(t);
  const idle = await session(t, gateway);
  const sender = await session(t, gateway, MAIL, RCPT, 'DATA');
  gateway.signal('SIGTERM');
  t.regex((await idle.line()) ?? '', /^421 4\.3\.2/);
  await t.throwsAsync(connectClient(gateway.port('inbound')));
  sender.send('Subject: hello\r\n\r\n.\r\n');
  t.regex((await sender.line()) ?? '', /^250 2\.0\.0/);
  t.regex((await sender.line()) ?? '', /^421 4\.3\.2/);
  t.is(await gateway.ended, 0);
});

test('a second signal does not wait for the drain', async (t) => {
  const gateway = await serve(t);
  const idle = await session(t, gateway);
  await session(t, gateway, MAIL);
  gateway.signal('SIGTERM');
  await idle.line();
  gateway.signal('SIGINT');
  t.is(await gateway.ended, 1);
});

test('a signal that arrives twice, from the group and from a parent, is one request', async (t) => {
  const gateway = await serve(t);
  const idle = await session(t, gateway);
  gateway.signal('SIGTERM');
  await idle.line();
  gateway.signal('SIGTERM');
  t.is(await gateway.ended, 0);
});

test('what breaks in a drain ends it, and is logged', async (t) => {
  const breaking = `process.once('SIGTERM', () => setTimeout(() => { throw new Error('broken in the drain'); }, 100));`;
  const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(breaking)}`;
  const gateway = await serve(t, { NODE_OPTIONS });
  await session(t, gateway, MAIL);
  gateway.signal('SIGTERM');
  t.is(await gateway.ended, 1);
  t.is(gateway.log.at(-1)?.msg, 'giving up: broken in the drain');
});

test('a port that is taken is named, and the exit code is 1', async (t) => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  t.teardown(() => taken.close());
  const { port } = taken.address() as { port: number };
  const file: GatewayFile = before('127.0.0.1:9');
  file.listeners.inbound.listen = [`127.0.0.1:${port}`];
  await t.throwsAsync(startGateway(file), { message: new RegExp(`ended with 1.*EADDRINUSE.*127\\.0\\.0\\.1:${port}`) });
});

function fileOf(server: string, hostname: string): GatewayFile {
  return { drainTimeout: 60, ...before(server), hostname };
}

/** What the first line says that a new client is told. */
async function greeting(t: ExecutionContext, gateway: RunningGateway): Promise<string | null> {
  const client = await connectClient(gateway.port('inbound'));
  t.teardown(client.close);
  return client.line();
}

test('SIGHUP puts a changed file to work on the same socket, and says so', async (t) => {
  const gateway = await serve(t);
  const old = await session(t, gateway, MAIL);
  const file = fileOf('127.0.0.1:9', 'mx2.gateway.example');
  file.recipientAccess = { inbound: [{ match: ['nobody.example'], action: 'accept' }] };
  Object.assign(file, { log: { level: 'debug' }, engine: { threads: 2 } });
  await gateway.configure(file);
  gateway.signal('SIGHUP');
  const line = await gateway.logged(({ event }) => event === 'gateway.reloaded');
  t.like(line, { generation: 2, opened: [], closed: [], restart: ['engine.threads'], level: 30 });
  t.deepEqual(line.kept, [`inbound 127.0.0.1:${gateway.port('inbound')}`]);
  t.regex((await greeting(t, gateway)) ?? '', /^220 mx2\.gateway\.example /);
  old.send(`${RCPT}\r\n`);
  t.regex((await old.line()) ?? '', /^250 2\.1\.5/);
  t.like(await gateway.logged(({ event }) => event === 'session.opened'), { generation: 2, level: 20 });
  old.close();
  t.like(await gateway.logged(({ event }) => event === 'gateway.generation-ended'), { generation: 1 });
});

test('SIGHUP while the program still loads does not end it', async (t) => {
  const early = `import { registerHooks } from 'node:module';
    registerHooks({
      load(url, context, next) {
        if (/commands\\/serve\\.[jt]s$/.test(url)) process.kill(process.pid, 'SIGHUP');
        return next(url, context);
      },
    });`;
  const gateway = await serve(t, { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(early)}` });
  t.regex((await greeting(t, gateway)) ?? '', /^220 mx\.gateway\.example /);
});

test('SIGHUP with a bad file changes nothing, and each problem is a line of the log', async (t) => {
  const gateway = await serve(t);
  await gateway.configure({ ...before('127.0.0.1:9'), hostname: 'no name', drainTimeout: -1 });
  gateway.signal('SIGHUP');
  await gateway.logged(({ msg }) => msg.includes('drainTimeout') || msg.includes('-1'));
  const refused = gateway.log.filter(({ event }) => event === 'gateway.reload-refused');
  t.is(refused.length, 2);
  for (const { msg } of refused) t.regex(msg, /^reload refused: .*callahead\.yaml:\d+:\d+: /);
  t.regex((await greeting(t, gateway)) ?? '', /^220 mx\.gateway\.example /);
});

test('SIGHUP during a drain is refused and logged, and the drain goes on', async (t) => {
  const gateway = await serve(t);
  const sender = await session(t, gateway, MAIL, RCPT);
  gateway.signal('SIGTERM');
  await gateway.logged(({ event }) => event === 'gateway.draining');
  gateway.signal('SIGHUP');
  t.is((await gateway.logged(({ event }) => event === 'gateway.reload-refused')).problem, 'the gateway is stopping');
  sender.send('QUIT\r\n');
  t.is(await gateway.ended, 0);
});

test('SIGTERM behind SIGHUP drains', async (t) => {
  const gateway = await serve(t);
  const idle = await session(t, gateway);
  gateway.signal('SIGHUP');
  gateway.signal('SIGTERM');
  t.regex((await idle.line()) ?? '', /^421 4\.3\.2/);
  t.is(await gateway.ended, 0);
});
