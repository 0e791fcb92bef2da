import { writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { cacheFlushCommand, cacheShowCommand } from '../../packages/cli/src/commands/cache.ts';
import { reloadCommand } from '../../packages/cli/src/commands/reload.ts';
import { freePort, temporaryFolder } from '../support/debian.ts';
import { openSession } from '../support/dialogue.ts';
import { startFakeServer } from '../support/fake-server.ts';
import { startGateway } from '../support/gateway.ts';
import { before } from '../support/gateway-settings.ts';
import { listen } from '../support/terminal.ts';

const TOKEN = 'correct-horse-battery';

async function fileWith(t: ExecutionContext, content: object): Promise<string> {
  const folder = await temporaryFolder('client');
  t.teardown(folder.remove);
  const file = join(folder.path, 'callahead.yaml');
  await writeFile(file, JSON.stringify(content));
  return file;
}

type Said = Readonly<{ exit: number; stdout: string; stderr: string }>;

function commandsFor(file: string) {
  async function run(command: (terminal: ReturnType<typeof listen>['terminal']) => Promise<number>): Promise<Said> {
    const { said, terminal } = listen();
    return { exit: await command(terminal), ...said };
  }
  const nothing = { what: null, server: null, negative: false, all: false, json: false };
  return {
    show: (address: string, json = false) => run((terminal) => cacheShowCommand({ address, file, json }, terminal)),
    flush: (given: Partial<Parameters<typeof cacheFlushCommand>[0]>) =>
      run((terminal) => cacheFlushCommand({ ...nothing, file, ...given }, terminal)),
    reload: (json = false) => run((terminal) => reloadCommand({ file, json }, terminal)),
  };
}

/** A running gateway before a server that knows one user, and the commands on a file that leads to it. */
async function serve(t: ExecutionContext) {
  const server = await startFakeServer({ users: ['known@example.com'] });
  t.teardown(server.stop);
  const gateway = await startGateway({ ...before(server.at), admin: { listen: '127.0.0.1:0', token: TOKEN } });
  t.teardown(() => gateway.stop());
  const content = { ...before(server.at), admin: { listen: gateway.admin, token: TOKEN } };
  const file = await fileWith(t, content);
  return { server, gateway, content, file, ...commandsFor(file) };
}

test('what is cached about a recipient is shown, forgotten by recipient, and asked anew', async (t) => {
  const { gateway, server, show, flush } = await serve(t);
  const mail = ['EHLO client.example', 'MAIL FROM:<sender@client.example>'];
  await openSession(t, gateway.port('inbound'), ...mail, 'RCPT TO:<known@example.com>', 'RCPT TO:<nobody@example.com>');
  const shown = await show('nobody@EXAMPLE.com');
  t.is(shown.exit, 0);
  t.regex(
    shown.stdout,
    /^nobody@example\.com: unknown, by [\d.:]+: 550 5\.1\.1 No such user \(profile mailboxes, destination .+, \d+s old, \d+m \d\ds left, ref \w+\)\n$/,
  );
  t.like(JSON.parse((await show('known@example.com', true)).stdout), {
    recipient: 'known@example.com',
    entries: [{ kind: 'valid', server: server.at }],
  });
  t.like(await flush({ what: 'nobody@example.com' }), { exit: 0, stdout: '1 cached answer forgotten\n' });
  t.like(await show('nobody@example.com'), { exit: 0, stdout: 'nobody@example.com: nothing is cached\n' });
  t.like(await flush({ server: server.at, json: true }), { exit: 0, stdout: '{"forgotten":1}\n' });
  t.like(await flush({ what: '@example.com' }), { exit: 0, stdout: '0 cached answers forgotten\n' });
  t.like(await flush({ negative: true }), { exit: 0 });
  t.like(await flush({ all: true }), { exit: 0 });
});

test('a wrong call of the cache says what would be right: exit code 2', async (t) => {
  const { show, flush } = commandsFor('/nowhere');
  t.like(await show('ann'), { exit: 2, stderr: '"ann" is not right: expected an address, user@domain\n' });
  const one = 'expected exactly one of ADDRESS, @DOMAIN, --server HOST:PORT, --negative, --all\n';
  t.like(await flush({}), { exit: 2, stderr: one });
  t.like(await flush({ what: 'ann@example.com', all: true }), { exit: 2, stderr: one });
});

test('what only the gateway can tell is wrong is told in its words: exit code 2', async (t) => {
  const { flush } = await serve(t);
  const { exit, stderr } = await flush({ what: 'ann' });
  t.is(exit, 2);
  t.regex(stderr, /^the gateway at [\d.:]+: recipient: "ann" is not right: expected an address, user@domain\n$/);
});

test('a reload says what has changed, or every problem with its place', async (t) => {
  const { gateway, content, reload } = await serve(t);
  await gateway.configure({ ...content, engine: { threads: 2 } });
  const { exit, stdout } = await reload();
  t.is(exit, 0);
  t.regex(
    stdout,
    /^the file is at work \(generation 2\)\nkept {4}inbound 127\.0\.0\.1:\d+\nengine\.threads has changed: that counts after a restart\n/,
  );
  t.like(JSON.parse((await reload(true)).stdout), { generation: 3, opened: [], closed: [] });
  await gateway.configure({ ...content, hostname: '', drainTimeout: 'soon' });
  const refused = await reload();
  t.is(refused.exit, 2);
  t.is(refused.stdout, '');
  t.is(refused.stderr.match(/^\S+callahead\.yaml:\d+:\d+: .*(hostname|drainTimeout)/gm)?.length, 2);
});

test('of the file only the section that leads to the gateway has to be right', async (t) => {
  const { content, file, show, reload } = await serve(t);
  const others = { hostname: `\${CALLAHEAD_NOBODY_SETS_THIS}`, smtpRoutesFile: 'nowhere', listeners: 7 };
  await writeFile(file, JSON.stringify({ ...content, ...others }));
  t.like(await show('ann@example.com'), { exit: 0, stderr: '' });
  t.like(await reload(), { exit: 0, stderr: '' });
  await writeFile(
    file,
    JSON.stringify({ admin: { listen: '127.0.0.1:99999', token: `\${CALLAHEAD_NOBODY_SETS_THIS}` } }),
  );
  const { exit, stderr } = await show('ann@example.com');
  t.is(exit, 2);
  t.regex(stderr, /^\S+callahead\.yaml:1:20: admin\.listen: "127\.0\.0\.1:99999" .*: expected address:port\n/);
  t.regex(stderr, /\n\S+callahead\.yaml:1:46: \$\{CALLAHEAD_NOBODY_SETS_THIS\}: the environment has no variable /);
  await writeFile(file, JSON.stringify({ admin: { ...content.admin, token: null, tokenFile: 'nowhere' } }));
  t.regex(
    (await show('ann@example.com')).stderr,
    /:1:\d+: admin\.tokenFile: "nowhere" cannot be read \(ENOENT.*\): expected a file\n$/,
  );
});

test('a file that leads to no gateway says what it lacks: exit code 2', async (t) => {
  const none = commandsFor(await fileWith(t, before('127.0.0.1:9')));
  t.like(await none.reload(), { exit: 2 });
  t.regex((await none.reload()).stderr, /callahead\.yaml:1:1: admin: missing: .*, expected \{listen: /);
  const any = commandsFor(await fileWith(t, { ...before('127.0.0.1:9'), admin: { listen: '127.0.0.1:0' } }));
  t.regex((await any.reload()).stderr, /admin\.listen: port 0 .*: expected the port/);
});

test('a token that is not that of the gateway, or none, is exit code 2', async (t) => {
  const { content } = await serve(t);
  const other = commandsFor(
    await fileWith(t, { ...content, admin: { ...content.admin, token: 'another-token-of-ours' } }),
  );
  const { exit, stderr } = await other.show('ann@example.com');
  t.is(exit, 2);
  t.regex(
    stderr,
    /^the gateway at [\d.:]+ does not take the token that .*callahead\.yaml has \(admin\.tokenFile\): expected the one /,
  );
  t.false(stderr.includes('another-token'));
});

/** Something else behind the port that the file names. */
async function fake(t: ExecutionContext, answer: RequestListener) {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  return {
    port,
    ...commandsFor(await fileWith(t, { ...before('127.0.0.1:9'), admin: { listen: `127.0.0.1:${port}` } })),
  };
}

test('a gateway that is busy is exit code 3, something else is 1', async (t) => {
  const busy = await fake(t, (_, response) => {
    response.writeHead(429).end(JSON.stringify({ error: { kind: 'too-many', message: 'wait \u001b[2J a while' } }));
  });
  t.like(await busy.show('ann@example.com'), {
    exit: 3,
    stderr: `the gateway at 127.0.0.1:${busy.port}: wait \\u001b[2J a while\n`,
  });
  for (const [status, body] of [
    [200, '<html>'],
    [200, '{"ok":true}'],
    [302, ''],
    [404, '<html>'],
    [500, '{}'],
  ] as const) {
    const other = await fake(t, (_, response) => void response.writeHead(status, { location: '/' }).end(body));
    const { exit, stderr } = await other.show('ann@example.com');
    t.is(exit, 1);
    t.regex(stderr, /127\.0\.0\.1:\d+.*expected/);
  }
});

test('where nobody listens the socket is named, and the exit code is 1', async (t) => {
  const at = `127.0.0.1:${await freePort()}`;
  const file = await fileWith(t, { ...before('127.0.0.1:9'), admin: { listen: at, token: TOKEN } });
  const { exit, stderr } = await commandsFor(file).flush({ all: true });
  t.is(exit, 1);
  t.true(stderr.startsWith(`no gateway answers at ${at}, which ${file} names as admin.listen (`), stderr);
  t.regex(stderr, /\(.*ECONNREFUSED.*\): expected one that runs with this file\n$/);
});
