import { readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { type Finished, finish, temporaryFolder } from '../support/debian.ts';
import { startFakeServer } from '../support/fake-server.ts';
import { routeTo } from '../support/routes.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** A folder elsewhere, into which npm has installed the tarballs of all packages, as a user would. */
let elsewhere: Awaited<ReturnType<typeof temporaryFolder>>;

test.before(async () => {
  elsewhere = await temporaryFolder('packed');
  await succeed(process.execPath, [join(ROOT, 'scripts', 'pack.mjs'), elsewhere.path]);
  const tarballs = (await readdir(elsewhere.path)).filter((name) => name.endsWith('.tgz'));
  await writeFile(join(elsewhere.path, 'package.json'), '{"type": "module", "private": true}');
  await succeed('npm', [
    ...['install', '--prefix', elsewhere.path, '--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'],
    ...tarballs.map((name) => join(elsewhere.path, name)),
  ]);
});

test.after.always(() => elsewhere?.remove());

test('the engine of the packed packages starts a thread and validates a recipient', async (t) => {
  const server = await startFakeServer({ users: ['anna@example.com'] });
  t.teardown(() => server.stop());
  await write(
    'embed.js',
    `import { parseRecipient } from '@callahead/core';
     import { createEngine } from '@callahead/workers';
     const settings = { threads: 1, maxPending: 100, maxDestinations: 10 };
     const engine = createEngine({ settings, emit() {}, onFatal(error) { throw error; } });
     const route = JSON.parse(process.argv[2]);
     for (const address of process.argv.slice(3)) {
       const { recipient } = parseRecipient(address, { smtpUtf8: false });
       const verdict = await engine.validate({ recipient, route, deadlineMs: performance.now() + 20_000, recorder: null });
       console.log(verdict.kind, verdict.source, verdict.server);
     }
     await engine.close(1_000);`,
  );
  const route = JSON.stringify(routeTo([server.port]));
  const { output } = await inside(['embed.js', route, 'anna@example.com', 'nobody@example.com', 'anna@example.com']);
  t.is(output, `valid server ${server.at}\nunknown server ${server.at}\nvalid cache ${server.at}\n`);
});

test('the packed command tells its version', async (t) => {
  const { version } = JSON.parse(await readFile(join(ROOT, 'packages', 'cli', 'package.json'), 'utf8'));
  const { output } = await inside(['node_modules/.bin/callahead', '--version']);
  t.is(output, `${version}\n`);
});

test('the packed packages carry their types', async (t) => {
  await write(
    'embed.ts',
    `import { parseRecipient, type Verdict } from '@callahead/core';
     import type { loadConfiguration } from '@callahead/core/config';
     import type { createAdmin } from '@callahead/admin';
     import type { createListener } from '@callahead/listener';
     import type { createRouter } from '@callahead/routing';
     import type { createEngine } from '@callahead/workers';
     type Functions = [typeof loadConfiguration, typeof createListener, typeof createRouter, typeof createAdmin];
     // @ts-expect-error: a wrong use is an error only where the types were found
     export const engine: ReturnType<typeof createEngine> = 1;
     // @ts-expect-error: likewise
     export const verdict: Verdict = parseRecipient(1);
     // @ts-expect-error: likewise
     export const functions: Functions = [1, 2, 3, 4];`,
  );
  // The packages' types speak of node's own, which every user of them has.
  await symlink(join(ROOT, 'node_modules', '@types'), join(elsewhere.path, 'node_modules', '@types'));
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const options = '--ignoreConfig --noEmit --strict --skipLibCheck --target es2024 --module nodenext --types node';
  t.is((await succeed(process.execPath, [tsc, ...options.split(' '), join(elsewhere.path, 'embed.ts')])).code, 0);
});

test('the packed packages hold what is published and nothing else', async (t) => {
  for (const name of [
    'callahead',
    '@callahead/core',
    '@callahead/workers',
    '@callahead/routing',
    '@callahead/listener',
    '@callahead/admin',
  ]) {
    const files = await readdir(join(elsewhere.path, 'node_modules', name));
    const published = new Set(['LICENSE', 'README.md', 'dist', 'dist-web', 'node_modules', 'package.json']);
    t.deepEqual(
      files.filter((file) => !published.has(file)),
      [],
      name,
    );
    t.true(files.includes('LICENSE'), name);
  }
});

async function write(name: string, text: string): Promise<void> {
  await writeFile(join(elsewhere.path, name), text);
}

/** Runs Node with a first argument that is a file of the folder. */
function inside([file, ...args]: readonly [string, ...string[]]): Promise<Finished> {
  return succeed(process.execPath, [join(elsewhere.path, file), ...args]);
}

async function succeed(program: string, args: readonly string[]): Promise<Finished> {
  const finished = await finish(program, args, 110_000);
  if (finished.code !== 0)
    throw new Error(`${program} ${args.join(' ')} ended with ${finished.code}: ${finished.output}`);
  return finished;
}
