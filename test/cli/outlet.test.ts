import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, Socket } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import test, { type ExecutionContext } from 'ava';
import { createOutlet } from '../../packages/cli/src/outlet.ts';
import { exitCode, freePort, listening, temporaryFolder, within } from '../support/debian.ts';
import { play } from '../support/dialogue.ts';
import { before } from '../support/gateway-settings.ts';

const CALLAHEAD = join(import.meta.dirname, '..', '..', 'node_modules', '.bin', 'callahead');

/** Each is one line of the log. */
const REFUSALS = `
S: 220*
C: EHLO client.example
S: 250*
C: MAIL FROM:<me@sender.example>
S: 250*
C: RCPT TO:<${'a'.repeat(60)}@elsewhere.example>
S: 550*
`;

/** A gateway whose log goes to `stdout`. */
async function serve(t: ExecutionContext, stdout: 'pipe' | number) {
  const folder = await temporaryFolder('outlet');
  const port = await freePort();
  const file = before('127.0.0.1:1');
  file.listeners.inbound.listen = [`127.0.0.1:${port}`];
  await writeFile(join(folder.path, 'callahead.yaml'), JSON.stringify(file));
  const child = spawn(CALLAHEAD, ['serve', '-c', join(folder.path, 'callahead.yaml')], {
    stdio: ['ignore', stdout, 'pipe'],
  });
  const said: string[] = [];
  child.stderr?.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  const ended = exitCode(child);
  t.teardown(async () => {
    child.kill('SIGKILL');
    await folder.remove();
  });
  await listening(port);
  return {
    child,
    said: () => said.join(''),
    refuse: () => play(port, REFUSALS),
    stop() {
      child.kill('SIGTERM');
      return within(ended, 20_000, () => 'the gateway does not end');
    },
  };
}

test.serial('a full disk under the log stops no mail, and is told once', async (t) => {
  const gateway = await serve(t, openSync('/dev/full', 'w'));
  for (let i = 0; i < 3; i++) await gateway.refuse();
  t.is(await gateway.stop(), 0);
  t.is(gateway.said().match(/the log cannot be written \(ENOSPC/g)?.length, 1);
});

test.serial('a log reader that is gone stops no mail, and is told once', async (t) => {
  const gateway = await serve(t, 'pipe');
  gateway.child.stdout?.destroy();
  for (let i = 0; i < 3; i++) await gateway.refuse();
  t.is(await gateway.stop(), 0);
  t.is(gateway.said().match(/the log cannot be written/g)?.length, 1);
});

test('the lines of one turn leave in one write', async (t) => {
  const writes: string[] = [];
  const stdout = Object.assign(new Socket(), { write: (text: string) => writes.push(text) > 0 });
  const outlet = createOutlet(
    { stdout, stderr: new PassThrough() } as unknown as Parameters<typeof createOutlet>[0],
    -1,
  );
  outlet.write('one\n');
  outlet.write('two\n');
  t.deepEqual(writes, []);
  await new Promise((resolve) => setImmediate(resolve));
  t.deepEqual(writes, ['one\ntwo\n']);
});

test.serial('a log that is not read stops neither the mail nor the end', async (t) => {
  const gateway = await serve(t, 'pipe');
  // A pipe holds 64 KiB.
  for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 40 }, () => gateway.refuse()));
  t.is(await gateway.stop(), 0);
});

test('what waits for a pipe is bounded, and the log tells afterwards how much is missing', async (t) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const arrived = once(server, 'connection');
  const stdout = new Socket();
  const stderr = new PassThrough();
  stdout.connect((server.address() as AddressInfo).port, '127.0.0.1');
  const outlet = createOutlet({ stdout, stderr } as unknown as Parameters<typeof createOutlet>[0], -1);
  // Nothing leaves before the connection is there.
  const line = `${'x'.repeat(99_999)}\n`;
  for (let i = 0; i < 20; i++) outlet.write(line);
  t.true(stdout.writableLength < 1_300_000);
  t.is(String(stderr.read()).split('\n').length - 1, 1);

  const [socket] = (await arrived) as [Socket];
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  t.true(await outlet.empty(10_000));
  outlet.write('after\n');
  outlet.flush();
  stdout.end();
  await once(socket, 'end');
  const lines = Buffer.concat(chunks).toString().trimEnd().split('\n');
  t.is(lines.filter((text) => text.startsWith('x')).length, 11);
  t.like(JSON.parse(lines.at(-2) ?? ''), { event: 'log.dropped', lines: 9 });
  t.is(lines.at(-1), 'after');
  server.close();
});
