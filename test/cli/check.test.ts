import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { checkCommand } from '../../packages/cli/src/commands/check.ts';
import { schemaCommand } from '../../packages/cli/src/commands/schema.ts';
import { smallest } from '../support/configuration.ts';
import { listen } from '../support/terminal.ts';

async function written(t: ExecutionContext, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'callahead-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = join(folder, 'callahead.yaml');
  await writeFile(file, text);
  return file;
}

test('check says that a clean file is ok', async (t) => {
  const file = await written(t, smallest);
  const { said, terminal } = listen();
  t.is(await checkCommand({ file }, terminal), 0);
  t.deepEqual(said, { stdout: `${file}: ok\n`, stderr: '' });
});

test('check writes every problem with its place, and fails', async (t) => {
  const file = await written(t, smallest.replace('mx1.gateway.example', '1.2.3').replace('public', 'pubic'));
  const { said, terminal } = listen();
  t.is(await checkCommand({ file }, terminal), 2);
  t.deepEqual(said, {
    stdout: '',
    stderr: `${file}:1:11: hostname: "1.2.3" is not a host name: expected a host name
${file}:4:11: listeners.inbound.type: "pubic" is not right: expected public or private
`,
  });
});

test('a warning is written as one and fails nothing', async (t) => {
  const file = await written(t, 'hostname: mx1.gateway.example\n');
  const { said, terminal } = listen();
  t.is(await checkCommand({ file }, terminal), 0);
  t.deepEqual(said, { stdout: `${file}: ok\n`, stderr: `${file}:1:1: warning: no listener: nothing to serve\n` });
});

test('a file that is not there is a problem like any other', async (t) => {
  const { said, terminal } = listen();
  t.is(await checkCommand({ file: '/nowhere/callahead.yaml' }, terminal), 2);
  t.regex(said.stderr, /^\/nowhere\/callahead\.yaml:1:1: the file cannot be read .*\n$/);
});

test('schema prints a JSON Schema', (t) => {
  const { said, terminal } = listen();
  t.is(schemaCommand(terminal), 0);
  t.like(JSON.parse(said.stdout), { type: 'object', required: ['hostname'], additionalProperties: false });
});
