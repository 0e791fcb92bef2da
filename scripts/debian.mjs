/** The Debian packages that the tests with real mail servers need. debian-packages.json says which, and which programs each brings. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { ROOT, say } from './install.mjs';

const PACKAGES = JSON.parse(readFileSync(join(import.meta.dirname, 'debian-packages.json'), 'utf8'));
const CACHE = join(ROOT, '.cache', 'debian');
const POLICY = '/usr/sbin/policy-rc.d';

/** Installs what is missing if this process may; otherwise says what is missing. Never throws: the tests that need it fail by name. */
export function installDebianPackages() {
  const toInstall = missing(PACKAGES.install, (program) => existsSync(program));
  const toUnpack = missing(PACKAGES.unpack, (program, name) => runs(join(CACHE, name, program)));
  const all = [...toInstall, ...toUnpack];
  if (all.length === 0) return;
  if (process.getuid?.() !== 0 || spawnSync('apt-get', ['--version']).status !== 0) {
    say(
      `The tests with real mail servers will fail: missing Debian packages ${all.join(', ')} (npm test as root on Debian installs them).`,
    );
    return;
  }
  say(`installing the Debian packages ${all.join(', ')}`);
  try {
    withoutServices(() => {
      aptGet(['update']);
      if (toInstall.includes('postfix')) preseed('postfix postfix/main_mailer_type select No configuration');
      if (toInstall.length > 0) aptGet(['install', '--no-install-recommends', '--no-upgrade', ...toInstall]);
      for (const name of toUnpack) unpack(name);
    });
  } catch (error) {
    say(`The tests with real mail servers will fail: ${error.message}`);
  }
}

function missing(packages, present) {
  return Object.entries(packages)
    .filter(([name, programs]) => !programs.every((program) => present(program, name)))
    .map(([name]) => name);
}

/** An unpacked program that has all its libraries; these are installed in the system and may be gone when only the folder was kept. */
function runs(program) {
  if (!existsSync(program)) return false;
  // A script is not what ldd knows, and needs no libraries.
  const libraries = spawnSync('ldd', [program], { encoding: 'utf8' }).stdout;
  return !libraries.includes('not found');
}

/** Unpacks a package beside the system, where it cannot conflict with an installed one, and installs the libraries that it needs. */
function unpack(name) {
  mkdirSync(CACHE, { recursive: true });
  const work = mkdtempSync(join(CACHE, 'unpacking-'));
  try {
    // apt downloads as its own user, which must be able to write here.
    chmodSync(work, 0o777);
    command('apt-get', ['download', name], work);
    const file = readdirSync(work).find((entry) => entry.endsWith('.deb'));
    if (file === undefined) throw new Error(`apt-get download ${name} left no .deb file`);
    command('dpkg', ['-x', join(work, file), join(work, 'tree')]);
    // A set-user-id root program in a work tree is a hole; the tests start it as root anyway.
    command('chmod', ['-R', 'u-s,g-s', join(work, 'tree')]);
    aptGet(['install', '--no-install-recommends', '--no-upgrade', ...librariesOf(join(work, file))]);
    createEximUser();
    rmSync(join(CACHE, name), { recursive: true, force: true });
    renameSync(join(work, 'tree'), join(CACHE, name));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function librariesOf(file) {
  return command('dpkg-deb', ['-f', file, 'Depends'])
    .split(',')
    .map((dependency) => dependency.trim().split(/[ |(]/)[0])
    .filter((name) => name.startsWith('lib'));
}

/** The user that Debian's Exim is compiled to run as; its package would create it. */
function createEximUser() {
  if (spawnSync('getent', ['passwd', 'Debian-exim']).status === 0) return;
  command('useradd', [
    '--system',
    '--user-group',
    '--no-create-home',
    '--home-dir',
    '/nonexistent',
    '--shell',
    '/usr/sbin/nologin',
    'Debian-exim',
  ]);
}

/** Debian starts a service when it installs it, unless this file forbids it. */
function withoutServices(work) {
  if (existsSync(POLICY)) return work();
  writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return work();
  } finally {
    rmSync(POLICY, { force: true });
  }
}

function preseed(answer) {
  command('debconf-set-selections', [], ROOT, `${answer}\n`);
}

function aptGet(args) {
  command('apt-get', ['-qq', '-y', '-o', 'DPkg::Lock::Timeout=120', '-o', 'Acquire::Retries=3', ...args]);
}

function command(program, args, cwd = ROOT, input = '') {
  const done = spawnSync(program, args, {
    cwd,
    input,
    encoding: 'utf8',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (done.error) throw new Error(`${program} does not start: ${done.error.message}`);
  if (done.status !== 0)
    throw new Error(`${program} ${args.join(' ')} failed (exit code ${done.status}):\n${done.stdout}${done.stderr}`);
  return done.stdout;
}
