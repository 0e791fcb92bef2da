/** A real Postfix with a configuration, a queue and a port of its own. It knows `users`, takes mail for their domains only, and delivers to maildirs. */
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAuthority, createCertificate } from './certificates.ts';
import { finish, freePort, needRoot, program, temporaryFolder } from './debian.ts';
import { createMaildirs, type Maildirs } from './maildir.ts';

export type Postfix = Readonly<{
  port: number;
  /** `127.0.0.1:port` */
  at: string;
  mail: Maildirs;
  log(): Promise<string>;
  stop(): Promise<void>;
}>;

// "nobody": Postfix refuses to deliver as root or as its own user.
const OWNER = 65534;

export async function startPostfix(
  options: Readonly<{ users: readonly string[]; settings?: Readonly<Record<string, string>> }>,
): Promise<Postfix> {
  const postfix = program('postfix');
  needRoot('Postfix');
  const folder = await temporaryFolder('postfix');
  const at = (name: string): string => join(folder.path, name);
  const port = await freePort();
  // The processes of Postfix run as several users and all have to get through here.
  await chmod(folder.path, 0o755);
  // What is in the queue, and the data folder, Postfix makes itself, with the owners it wants.
  for (const name of ['etc', 'queue']) await mkdir(at(name));
  const mail = await createMaildirs(at('mail'), options.users, OWNER, OWNER);
  await writeFile(at('etc/users'), options.users.map((user) => `${user} ${user}/\n`).join(''));
  await writeFile(at('etc/main.cf'), print({ ...mainSettings(at, options.users), ...options.settings }));
  await writeFile(at('etc/master.cf'), services(port));
  const control = (verb: string): ReturnType<typeof finish> => finish(postfix, ['-c', at('etc'), verb]);
  const log = (): Promise<string> => readFile(at('mail.log'), 'utf8').catch(() => '');

  async function stop(): Promise<void> {
    await control('stop');
    await folder.remove();
  }

  const started = await control('start');
  if (started.code !== 0) {
    const said = `${started.output}${await log()}`;
    await stop();
    throw new Error(`Postfix does not start: ${said}`);
  }
  return { port, at: `127.0.0.1:${port}`, mail, log, stop };
}

function mainSettings(at: (name: string) => string, users: readonly string[]): Readonly<Record<string, string>> {
  const domains = new Set(users.map((user) => user.slice(user.lastIndexOf('@') + 1)));
  return {
    compatibility_level: '3.6',
    queue_directory: at('queue'),
    data_directory: at('data'),
    maillog_file: at('mail.log'),
    maillog_file_prefixes: at(''),
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    myhostname: 'postfix.example',
    mydestination: '',
    mynetworks: '',
    local_recipient_maps: '',
    alias_maps: '',
    virtual_mailbox_domains: [...domains].join(' '),
    virtual_mailbox_base: at('mail'),
    virtual_mailbox_maps: `texthash:${at('etc/users')}`,
    virtual_uid_maps: `static:${OWNER}`,
    virtual_gid_maps: `static:${OWNER}`,
    smtpd_relay_restrictions: 'reject_unauth_destination',
    notify_classes: '',
    // Slowing down clients that make mistakes is tested with servers that do it on purpose.
    smtpd_error_sleep_time: '0s',
  };
}

function print(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('');
}

/** master.cf: only what receives, queues and delivers to maildirs. Nothing in it is chrooted. */
function services(port: number): string {
  return [
    `127.0.0.1:${port} inet n - n - - smtpd`,
    'pickup    unix n - n 60 1 pickup',
    'cleanup   unix n - n - 0 cleanup',
    'qmgr      unix n - n 300 1 qmgr',
    'tlsmgr    unix - - n 1000? 1 tlsmgr',
    'rewrite   unix - - n - - trivial-rewrite',
    'bounce    unix - - n - 0 bounce',
    'defer     unix - - n - 0 bounce',
    'trace     unix - - n - 0 bounce',
    'flush     unix n - n 1000? 0 flush',
    'proxymap  unix - - n - - proxymap',
    'error     unix - - n - - error',
    'retry     unix - - n - - error',
    'discard   unix - - n - - discard',
    'virtual   unix - n n - - virtual',
    'anvil     unix - - n - 1 anvil',
    'postlog   unix-dgram n - n - 1 postlogd',
    '',
  ].join('\n');
}

/** Certificates of one authority for a Postfix and for the gateway before it, in files of the folder; with `settings` Postfix takes nothing in plain text. */
export async function createPostfixTls(
  folder: string,
): Promise<Readonly<{ at: (name: string) => string; settings: Readonly<Record<string, string>> }>> {
  const authority = createAuthority();
  const server = createCertificate({ names: ['127.0.0.1'], issuer: authority });
  const ours = createCertificate({ names: ['mx.gateway.example'], issuer: authority });
  const at = (name: string): string => join(folder, name);
  await writeFile(at('ca.pem'), authority.cert);
  await writeFile(at('server.pem'), server.cert);
  await writeFile(at('server-key.pem'), server.key, { mode: 0o600 });
  await writeFile(at('ours.pem'), ours.cert);
  await writeFile(at('ours-key.pem'), ours.key);
  const settings = {
    smtpd_tls_security_level: 'encrypt',
    smtpd_tls_cert_file: at('server.pem'),
    smtpd_tls_key_file: at('server-key.pem'),
    smtpd_tls_CAfile: at('ca.pem'),
    smtpd_tls_loglevel: '1',
  };
  return { at, settings };
}
