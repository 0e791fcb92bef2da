import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { exitCode, temporaryFolder } from '../support/debian.ts';
import { type FakeOptions, type FakeServer, startFakeServer } from '../support/fake-server.ts';
import { before } from '../support/gateway-settings.ts';

const CALLAHEAD = join(import.meta.dirname, '..', '..', 'node_modules', '.bin', 'callahead');

type Ended = Readonly<{ code: number | null; stdout: string; stderr: string; lines: string[] }>;
type Running = Readonly<{ child: ChildProcessWithoutNullStreams; ended: Promise<Ended> }>;

/** The command before a server that knows ann and bob, on a file in a folder of its own. */
async function prepare(t: ExecutionContext, options: FakeOptions = {}, profile = {}, more = {}) {
  const server = await startFakeServer({ users: ['ann@example.com', 'bob@example.com'], ...options });
  t.teardown(server.stop);
  const folder = await temporaryFolder('verify');
  t.teardown(folder.remove);
  const file = join(folder.path, 'callahead.yaml');
  await writeFile(file, JSON.stringify({ ...before(server.at, profile), ...more }));

  /** By a shell, which can send output where it likes: `$0` is the command with its file. */
  function start(script: string): Running {
    const command = script.replaceAll('$0', `'${CALLAHEAD}' verify -c '${file}'`);
    const child = spawn('bash', ['-c', command], { cwd: folder.path });
    t.teardown(() => child.kill('SIGKILL'));
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name].on('data', (chunk: Buffer) => {
        said[name] += chunk;
      });
    child.stdin.on('error', () => {});
    const ended = exitCode(child).then((code) => ({
      code,
      ...said,
      lines: said.stdout.split('\n').filter((line) => line !== ''),
    }));
    return { child, ended };
  }

  async function run(script: string, input = ''): Promise<Ended> {
    const { child, ended } = start(script);
    child.stdin.end(input);
    return ended;
  }
  return { server, folder: folder.path, start, run };
}

function numbered(count: number): string {
  return Array.from({ length: count }, (_, i) => `user${i}@example.com\n`).join('');
}

/** Once the server was asked about so many. */
async function asked(server: FakeServer, count: number): Promise<void> {
  while (server.asked.length < count) await new Promise((resolve) => setTimeout(resolve, 20));
}

test.serial('one result a line, in the order of the addresses, and a summary on stderr', async (t) => {
  const { run } = await prepare(t);
  const { code, lines, stderr } = await run('$0 --format json ann@example.com nobody@EXAMPLE.com nonsense');
  t.is(code, 1);
  const results = lines.map((line) => JSON.parse(line));
  t.is(results.length, 3);
  t.like(results[0], {
    recipient: 'ann@example.com',
    kind: 'valid',
    code: 250,
    source: 'server',
    profile: 'mailboxes',
  });
  t.like(results[1], { recipient: 'nobody@example.com', kind: 'unknown', code: 550, reply: '550 5.1.1 No such user' });
  t.like(results[2], { recipient: 'nonsense', kind: 'invalid', code: 501, source: '', server: '' });
  t.regex(stderr, /^3 recipients: 1 valid, 1 unknown, 1 invalid; \d+s, \d+ a second\n$/);
});

test.serial('addresses come from stdin, one a line, and one that is asked twice costs one question', async (t) => {
  const { run, server } = await prepare(t);
  const { code, lines } = await run('$0', '\uFEFFann@example.com\r\n\n  bob@example.com \nann@example.com');
  t.is(code, 0);
  t.deepEqual(
    lines.map((line) => line.split('\t').slice(0, 3)),
    ['ann', 'bob', 'ann'].map((user) => ['valid', '250', `${user}@example.com`]),
  );
  t.is(server.asked.length, 2);
});

test.serial('the worst that is met is the exit code', async (t) => {
  const later = {
    on: { RCPT: ({ address }: { address: string }) => (address.startsWith('later') ? '450 4.2.1 Later' : null) },
  };
  const { run } = await prepare(t, later);
  t.is((await run('$0 ann@example.com')).code, 0);
  t.is((await run('$0 ann@example.com nobody@example.com')).code, 1);
  t.is((await run('$0 later@example.com nobody@example.com ann@example.com')).code, 3);
});

const CANARY = { canary: { valid: 'ann@example.com', invalid: 'nobody@example.com' } };

test.serial(
  'the servers are held to the canary first: one that accepts everybody is marked, one that knows nobody refuses nobody',
  async (t) => {
    const everybody = await prepare(t, { on: { RCPT: () => '250 2.1.5 Ok' } }, CANARY);
    const marked = await everybody.run('$0 --format json bob@example.com');
    t.is(marked.code, 0);
    t.like(JSON.parse(marked.stdout), { kind: 'valid', catchAll: true });
    const nobody = await prepare(t, { users: [] }, CANARY);
    const refused = await nobody.run('$0 --format json bob@example.com');
    t.is(refused.code, 3);
    t.like(JSON.parse(refused.stdout), { kind: 'failed', cause: 'policy', catchAll: false });
    const known = await prepare(t, {}, CANARY);
    t.like(JSON.parse((await known.run('$0 --format json bob@example.com')).stdout), {
      kind: 'valid',
      catchAll: false,
    });
  },
);

test.serial('a wrong call names the thing, the value and what would be right: exit code 2', async (t) => {
  const { run } = await prepare(t);
  const wrong = async (options: string, message: RegExp): Promise<void> => {
    const { code, stderr, stdout } = await run(`$0 ${options} ann@example.com`);
    t.is(code, 2);
    t.is(stdout, '');
    t.regex(stderr, message);
  };
  await wrong('--profile nope', /^--profile: there is no profile "nope": expected one of mailboxes\n$/);
  await wrong('--listener nope', /^--listener: there is no listener "nope": expected one of inbound\n$/);
  await wrong('--concurrency 0', /^--concurrency: "0" is not right: expected a number from 1 to 12500\n$/);
  await wrong('--format xml', /^--format: "xml" is not right: expected json, csv, text\n$/);
  await wrong('--resume nowhere', /^--resume: .*nowhere.*: expected a file with results\n$/);
});

test.serial('a reader that has seen enough ends it, and is told nothing', async (t) => {
  const { run, server } = await prepare(t);
  const { code, lines, stderr } = await run('$0 --concurrency 10 | head -n 3; exit $PIPESTATUS', numbered(200_000));
  t.is(code, 1);
  t.is(lines.length, 3);
  t.is(stderr, '');
  t.true(server.asked.length < 100_000);
});

test.serial('SIGINT ends it with the summary so far', async (t) => {
  const silent = {
    on: {
      RCPT: ({ address }: { address: string }) => (address === 'ann@example.com' ? null : { kind: 'silent' as const }),
    },
  };
  const { start, server } = await prepare(t, silent);
  const { child, ended } = start('exec $0 --concurrency 2');
  child.stdin.write('ann@example.com\nsilent@example.com\n');
  const first = once(child.stdout, 'data');
  await Promise.all([asked(server, 2), first]);
  child.kill('SIGINT');
  const { code, lines, stderr } = await ended;
  t.is(code, 1);
  t.is(lines.length, 1);
  t.regex(stderr, /^stopped by SIGINT; 1 recipient: 1 valid; /);
});

for (const format of ['json', 'csv', 'text'])
  test.serial(`a run that was cut off goes on behind its last whole line, in ${format}`, async (t) => {
    const { run, folder, server } = await prepare(t);
    const input = `ann@example.com\nnobody@example.com\n"a,b"@example.com\nno one\nbob@example.com\n`;
    const out = join(folder, 'out');
    const whole = await run(`$0 --format ${format} > out`, input);
    t.is(whole.code, 1);
    const expected = await readFile(out, 'utf8');
    const torn = expected.split('\n').slice(0, format === 'csv' ? 4 : 3);
    await writeFile(out, `${torn.join('\n')}\n${expected.slice(0, 9)}`);
    const askedBefore = server.asked.length;
    const { code, stderr } = await run(`$0 --format ${format} --resume out >> out`, input);
    t.is(code, 1);
    t.is(await readFile(out, 'utf8'), expected);
    t.deepEqual(server.asked.slice(askedBefore), ['bob@example.com']);
    t.regex(stderr, /^5 recipients: 2 valid, 2 unknown, 1 invalid; .* 3 of them by an earlier run\n$/);
  });

test.serial('results of other addresses, or in another format, are not gone on with', async (t) => {
  const { run, folder } = await prepare(t);
  await writeFile(join(folder, 'out'), 'valid\t250\tann@example.com\t-\n');
  const other = await run('$0 --resume out bob@example.com');
  t.is(other.code, 2);
  t.regex(other.stderr, /result 1 is of "ann@example\.com", the address 1 is "bob@example\.com"/);
  const more = await run('$0 --resume out', '');
  t.is(more.code, 2);
  t.regex(more.stderr, /more results than there are addresses/);
  const format = await run('$0 --format json --resume out ann@example.com');
  t.is(format.code, 2);
  t.regex(format.stderr, /^--resume: out:1: is no result in the format/);
  t.is(await readFile(join(folder, 'out'), 'utf8'), 'valid\t250\tann@example.com\t-\n');
});

test.serial('what cannot be read is told, as results or as addresses', async (t) => {
  const { run } = await prepare(t);
  const folder = await run('$0 --resume . ann@example.com');
  t.is(folder.code, 2);
  t.regex(folder.stderr, /^--resume: EISDIR.*: expected a file with results\n$/);
  const none = await run('$0 < .');
  t.is(none.code, 1);
  t.regex(none.stderr, /^the addresses cannot be read: stdin is a directory: expected /);
});

test.serial('a disk that is full is said once', async (t) => {
  const { run } = await prepare(t, { on: { RCPT: () => '250 2.1.5 Ok' } });
  const { code, stderr } = await run('$0 > /dev/full', numbered(20_000));
  t.is(code, 1);
  t.is(stderr.match(/callahead: cannot write: ENOSPC/g)?.length, 1, stderr);
});

test.serial('the cache of a gateway is left alone', async (t) => {
  const { run, folder } = await prepare(t, {}, {}, { cacheFile: 'cache.bin' });
  t.is((await run('$0 ann@example.com')).code, 0);
  await t.throwsAsync(readFile(join(folder, 'cache.bin')), { code: 'ENOENT' });
});

test.serial('on a terminal there is a progress bar, which is gone in the end', async (t) => {
  const { run, folder } = await prepare(t);
  await writeFile(join(folder, 'list'), numbered(20_000));
  const { stdout } = await run(`script -qec '$0 < list > out' /dev/null`.replace("'$0", '"$0').replace("out'", 'out"'));
  t.regex(stdout, /█+░* \d+% {2}[\d,]+ recipients {2}[\d,]+\/s {2}\d+s left/);
  t.regex(stdout.split('\r').at(-2) ?? '', /20,000 recipients: 20,000 unknown; /);
});
