/** A Haraka that passes each RCPT through to the mail server behind it (queue/smtp_proxy). It is no part of the workspace: the bench installs it. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, listening, temporaryFolder, within } from '../../test/support/debian.ts';
import { type Peer, pidOf, stop, tie } from '../support/children.ts';

const VERSION = '3.3.4';
const FOLDER = fileURLToPath(new URL('../.cache/haraka/', import.meta.url));
const PACKAGE = join(FOLDER, 'node_modules', 'Haraka');
const START_MS = 20_000;

/** Rejects when the registry does not have it. */
export async function startHaraka(sinkPort: number): Promise<Peer> {
  await install();
  const folder = await temporaryFolder('bench-haraka');
  const port = await freePort();
  await mkdir(join(folder.path, 'config'));
  for (const [name, text] of Object.entries(files(port, sinkPort))) {
    await writeFile(join(folder.path, 'config', name), text);
  }
  // It reads no defaults beside this one, and does not run without.
  await copyFile(join(PACKAGE, 'config', 'connection.ini'), join(folder.path, 'config', 'connection.ini'));
  const log = join(folder.path, 'log');
  const main = join(PACKAGE, 'bin', 'haraka');
  // Its log is on, at the level at which it tells of each recipient's fate, and in a file as the others'.
  const child = tie(spawn('sh', ['-c', `exec "$0" "$@" > ${log} 2>&1`, process.execPath, main, '-c', folder.path]));
  await within(listening(port), START_MS, () => 'Haraka does not listen');
  return {
    name: 'Haraka',
    port,
    pid: pidOf(child),
    async stop() {
      await stop(child);
      await folder.remove();
    },
  };
}

async function install(): Promise<void> {
  const manifest = join(PACKAGE, 'package.json');
  const installed = existsSync(manifest) ? JSON.parse(await readFile(manifest, 'utf8')).version : null;
  if (installed === VERSION) return;
  await mkdir(FOLDER, { recursive: true });
  const { status, stderr } = spawnSync(
    'npm',
    [
      'install',
      '--prefix',
      FOLDER,
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
      '--omit=optional',
      `Haraka@${VERSION}`,
    ],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`npm install Haraka@${VERSION} failed: ${stderr.trim().split('\n').at(-1)}`);
}

/** A process for each core, as its own notes on performance advise. */
function files(port: number, sinkPort: number): Readonly<Record<string, string>> {
  return {
    'smtp.ini': `listen=127.0.0.1:${port}\nnodes=cpus\n`,
    plugins: 'rcpt_to.in_host_list\nqueue/smtp_proxy\n',
    host_list: 'example.com\n',
    'smtp_proxy.ini': `host=127.0.0.1\nport=${sinkPort}\nenable_outbound=false\n`,
    me: 'haraka.example\n',
    'log.ini': '[main]\nlevel=notice\nformat=default\n',
  };
}
