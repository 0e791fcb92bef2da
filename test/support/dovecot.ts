/** A real Dovecot that is an LMTP server and nothing else, with a configuration, a folder and a port of its own. It knows `users` and delivers to maildirs. */
import { spawn } from 'node:child_process';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exitCode, freePort, listening, needRoot, program, temporaryFolder, within } from './debian.ts';
import { createMaildirs, type Maildirs } from './maildir.ts';

export type Dovecot = Readonly<{
  port: number;
  /** `127.0.0.1:port` */
  at: string;
  /** `unix:/path` */
  socket: string;
  mail: Maildirs;
  log(): Promise<string>;
  stop(): Promise<void>;
}>;

// "nobody" owns the mail.
const OWNER = 65534;

export async function startDovecot(options: Readonly<{ users: readonly string[] }>): Promise<Dovecot> {
  const dovecot = program('dovecot');
  program('lmtp');
  needRoot('Dovecot');
  const folder = await temporaryFolder('dovecot');
  const at = (name: string): string => join(folder.path, name);
  const port = await freePort();
  // Dovecot's processes run as several users and all have to get through here.
  await chmod(folder.path, 0o755);
  for (const name of ['run', 'state']) await mkdir(at(name));
  const mail = await createMaildirs(at('mail'), options.users, OWNER, OWNER);
  await writeFile(at('users'), options.users.map((user) => `${user}::${OWNER}:${OWNER}::${at('mail')}\n`).join(''));
  await writeFile(at('dovecot.conf'), configuration(at, port));
  const log = (): Promise<string> => readFile(at('log'), 'utf8').catch(() => '');

  let output = '';
  const child = spawn(dovecot, ['-F', '-c', at('dovecot.conf')], { stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk;
    });
  }
  const end = exitCode(child);

  async function stop(): Promise<void> {
    child.kill('SIGTERM');
    try {
      await within(end, 10_000, () => `Dovecot does not end: ${output}`);
    } finally {
      await folder.remove();
    }
  }

  const early = end.then(() => Promise.reject(new Error('it ended')));
  try {
    await within(Promise.race([listening(port), early]), 10_000, () => 'it does not listen');
  } catch (error) {
    const said = `${output}${await log()}`;
    await stop();
    throw new Error(`Dovecot does not start: ${said}`, { cause: error });
  }
  return { port, at: `127.0.0.1:${port}`, socket: `unix:${at('lmtp')}`, mail, log, stop };
}

function configuration(at: (name: string) => string, port: number): string {
  return `
hostname = dovecot.example
base_dir = ${at('run')}
state_dir = ${at('state')}
log_path = ${at('log')}
protocols = lmtp
ssl = no
default_internal_user = dovecot
default_login_user = dovenull
postmaster_address = postmaster@dovecot.example
mail_location = maildir:${at('mail')}/%u
first_valid_uid = ${OWNER}
first_valid_gid = ${OWNER}
# Nobody logs in, but Dovecot's auth process does not start without one.
passdb {
  driver = passwd-file
  args = username_format=%u ${at('users')}
}
userdb {
  driver = passwd-file
  args = username_format=%u ${at('users')}
}
service lmtp {
  unix_listener ${at('lmtp')} {
    mode = 0666
  }
  inet_listener lmtp {
    address = 127.0.0.1
    port = ${port}
  }
}
`;
}
