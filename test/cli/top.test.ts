import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { topCommand } from '../../packages/cli/src/commands/top.ts';
import { freePort, temporaryFolder } from '../support/debian.ts';
import { openSession } from '../support/dialogue.ts';
import { startFakeServer } from '../support/fake-server.ts';
import { startGateway } from '../support/gateway.ts';
import { before } from '../support/gateway-settings.ts';
import { listen } from '../support/terminal.ts';
import { openPane } from '../support/tmux.ts';

const CALLAHEAD = join(import.meta.dirname, '..', '..', 'node_modules', '.bin', 'callahead');

/** A gateway on a port of its own, which can be started anew, before a server that knows nobody; and the file that leads to it. */
async function prepare(t: ExecutionContext) {
  const server = await startFakeServer();
  t.teardown(server.stop);
  const content = {
    ...before(server.at),
    admin: { listen: `127.0.0.1:${await freePort()}`, token: 'correct-horse-battery' },
  };
  const folder = await temporaryFolder('top');
  t.teardown(folder.remove);
  const file = join(folder.path, 'callahead.yaml');
  await writeFile(file, JSON.stringify(content));
  const command = `'${CALLAHEAD}' top -c '${file}'; echo "exit code $?"`;

  async function start() {
    const gateway = await startGateway(content);
    t.teardown(gateway.kill);
    return gateway;
  }
  return { server, file, command, start };
}

const BOLD = '\u001b[1m';
const MAIL = ['EHLO client.example', 'MAIL FROM:<sender@client.example>'];

test.serial(
  'the picture lives, obeys keys and sizes, outlives the gateway, and leaves the terminal as it was',
  async (t) => {
    const { server, command, start } = await prepare(t);
    const gateway = await start();
    const pane = await openPane(t);
    await pane.press('echo before', 'Enter');
    await pane.press(command, 'Enter');
    await pane.shows(/^callahead mx\.gateway\.example .* ready .* 0 sessions/m);

    await openSession(t, gateway.port('inbound'), ...MAIL, 'RCPT TO:<nobody@example.com>');
    const text = await pane.shows(new RegExp(`1 sessions[^~]*mailboxes[^~]*${server.at} +mailboxes`));
    t.false(text.includes('before'));
    t.regex(text, /q quit {2}p pause {2}s sort by rate\n*$/);
    t.true((await pane.coloured()).includes(BOLD));

    await pane.press('p');
    await pane.shows(/paused[\s\S]*p go on/);
    await pane.press('p', 's');
    await pane.shows(/p pause {2}s sort by state/);
    await pane.resize(60, 8);
    const small = await pane.shows(/^callahead .*\n(.*\n){6}q quit {2}p pause {2}s sort by state\n*$/);
    t.true(small.split('\n').every((line) => line.length <= 60));
    await pane.resize(160, 30);

    gateway.signal('SIGKILL');
    await pane.shows(/disconnected since \d\d:\d\d:\d\d: no gateway answers/);
    await start();
    await pane.shows(/^callahead mx\.gateway\.example \S+ {2}ready {2}up \d+s {2}0 sessions$/m);

    await pane.press('q');
    const after = await pane.shows(/exit code 0/);
    t.regex(after, /before/);
    t.notRegex(after, /PROFILE/);
    await pane.press('echo typed', 'Enter');
    await pane.shows(/echo typed\ntyped/);
  },
);

test.serial('Ctrl-C and SIGTERM leave the terminal as it was, and NO_COLOR is obeyed', async (t) => {
  const { command, start, file } = await prepare(t);
  await start();
  const pane = await openPane(t, { NO_COLOR: '1' });
  await pane.press(command, 'Enter');
  await pane.shows(/PROFILE/);
  t.false((await pane.coloured()).includes(BOLD));
  await pane.press('C-c');
  t.notRegex(await pane.shows(/exit code 0/), /PROFILE/);
  const running = join(dirname(file), 'running');
  await pane.press('clear', 'Enter');
  await pane.press(`sh -c "echo \\$\\$ > '${running}'; exec '${CALLAHEAD}' top -c '${file}'"; stty -a`, 'Enter');
  await pane.shows(/PROFILE/);
  process.kill(Number(await readFile(running, 'utf8')), 'SIGTERM');
  t.regex(await pane.shows(/echo/), /[^-]echo /);
});

test.serial('without a terminal it prints one picture', async (t) => {
  const { file, start } = await prepare(t);
  await start();
  const { said, terminal } = listen();
  t.is(await topCommand({ file }, terminal), 0);
  t.regex(said.stdout, /^callahead mx\.gateway\.example /);
  t.regex(said.stdout, /\nPROFILE .*\nmailboxes /);
  t.notRegex(said.stdout.replaceAll('\n', ''), /[^\x20-\x7e]/);
  t.is(said.stderr, '');
});

test.serial('where no gateway answers it says so, without a screen: exit code 1', async (t) => {
  const { command, file } = await prepare(t);
  const { said, terminal } = listen();
  t.is(await topCommand({ file }, terminal), 1);
  t.regex(said.stderr, /^no gateway answers at /);
  const pane = await openPane(t);
  await pane.press(command, 'Enter');
  await pane.shows(/no gateway answers at[\s\S]*exit code 1/);
});
