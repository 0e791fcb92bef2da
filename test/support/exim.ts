/** A real Exim with a configuration, a spool and a port of its own. It knows `users`, refuses a second recipient of the null sender, and delivers to maildirs. */
import { spawn } from 'node:child_process';
import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exitCode, finish, freePort, listening, needRoot, program, temporaryFolder, within } from './debian.ts';
import { createMaildirs, type Maildirs } from './maildir.ts';

export type Exim = Readonly<{
  port: number;
  /** `127.0.0.1:port` */
  at: string;
  mail: Maildirs;
  log(): Promise<string>;
  stop(): Promise<void>;
}>;

/** `secondNullSenderRecipient`: `deny` refuses it and goes on, `drop` refuses it and hangs up. */
export type EximOptions = Readonly<{ users: readonly string[]; secondNullSenderRecipient: 'deny' | 'drop' }>;

export async function startExim(options: EximOptions): Promise<Exim> {
  const exim = program('exim4');
  needRoot('Exim');
  // Debian compiles the user in; its numbers differ from machine to machine.
  const [uid, gid] = await Promise.all([numberOf('-u'), numberOf('-g')]);
  const folder = await temporaryFolder('exim');
  const at = (name: string): string => join(folder.path, name);
  const port = await freePort();
  await chmod(folder.path, 0o755);
  for (const name of ['spool', 'log']) {
    await mkdir(at(name));
    await chown(at(name), uid, gid);
  }
  const mail = await createMaildirs(at('mail'), options.users, uid, gid);
  await writeFile(at('users'), options.users.map((user) => `${user}\n`).join(''));
  await writeFile(at('exim.conf'), configuration(at, options));
  const log = (): Promise<string> => readFile(at('log/mainlog'), 'utf8').catch(() => '');

  let output = '';
  const child = spawn(exim, ['-C', at('exim.conf'), '-bdf', '-oX', `127.0.0.1.${port}`, '-oP', at('pid')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk;
    });
  }
  const end = exitCode(child);

  async function stop(): Promise<void> {
    child.kill('SIGTERM');
    await within(end, 10_000, () => `Exim does not end: ${output}`);
    await folder.remove();
  }

  const early = end.then(() => Promise.reject(new Error('it ended')));
  try {
    await within(Promise.race([listening(port), early]), 10_000, () => 'it does not listen');
  } catch (error) {
    const said = `${output}${await log()}`;
    await stop();
    throw new Error(`Exim does not start: ${said}`, { cause: error });
  }
  return { port, at: `127.0.0.1:${port}`, mail, log, stop };
}

async function numberOf(option: '-u' | '-g'): Promise<number> {
  const { code, output } = await finish('id', [option, 'Debian-exim']);
  if (code !== 0) throw new Error('there is no user Debian-exim: npm test as root creates it');
  return Number(output);
}

function configuration(at: (name: string) => string, options: EximOptions): string {
  return `
primary_hostname = exim.example
# Exim puts what comes after the tenth message of a connection on its queue; the gateway's delivery connections carry more.
smtp_accept_queue_per_connection = 0
exim_path = ${program('exim4')}
spool_directory = ${at('spool')}
log_file_path = ${at('log/%slog')}
pid_file_path = ${at('pid')}
domainlist local_domains = ${[...new Set(options.users.map(domainOf))].join(' : ')}
keep_environment =
# Everything runs as Exim's own user: the test's program has no set-user-id bit.
deliver_drop_privilege = true
never_users = root
host_lookup =
rfc1413_hosts =
tls_advertise_hosts =
acl_smtp_rcpt = rcpt
acl_smtp_data = data
prdr_enable = false
timeout_frozen_after = 1m

begin acl
rcpt:
  ${options.secondNullSenderRecipient}
    senders = :
    condition = \${if >{$recipients_count}{0}}
    message = only one recipient for the null sender
  accept
    domains = +local_domains
    endpass
    message = 5.1.1 unknown user
    verify = recipient
  deny
    message = 5.7.1 relay not permitted
data:
  accept

begin routers
users:
  driver = accept
  domains = +local_domains
  condition = \${lookup{$local_part@$domain}lsearch{${at('users')}}{yes}{no}}
  transport = maildir

begin transports
maildir:
  driver = appendfile
  maildir_format
  directory = ${at('mail')}/\${lookup{$local_part@$domain}lsearch,ret=key{${at('users')}}}
  user = Debian-exim
`;
}

function domainOf(user: string): string {
  return user.slice(user.lastIndexOf('@') + 1);
}
