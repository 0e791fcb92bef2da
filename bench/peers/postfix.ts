/** A Postfix that verifies recipients at the mail server behind it (reject_unverified_recipient), with a configuration, a queue and a port of its own. */
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finish, freePort, listening, needRoot, program, temporaryFolder, within } from '../../test/support/debian.ts';
import type { Peer } from '../support/children.ts';

/** Twice what Postfix allows by default. Each process serves one session, and one that verifies a recipient does nothing else. */
const PROCESSES = 200;
const START_MS = 10_000;

export async function startPostfix(sinkPort: number): Promise<Peer> {
  const postfix = program('postfix');
  needRoot('Postfix');
  const folder = await temporaryFolder('bench-postfix');
  const at = (name: string): string => join(folder.path, name);
  const port = await freePort();
  await chmod(folder.path, 0o755);
  for (const name of ['etc', 'queue']) await mkdir(at(name));
  await writeFile(at('etc/main.cf'), mainSettings(at, sinkPort));
  await writeFile(at('etc/master.cf'), services(port));

  let end = (): void => {};
  async function stop(): Promise<void> {
    process.off('exit', end);
    await finish(postfix, ['-c', at('etc'), 'stop']);
    await folder.remove();
  }

  const { code, output } = await finish(postfix, ['-c', at('etc'), 'start']);
  if (code !== 0) {
    await stop();
    throw new Error(`Postfix does not start: ${output}`);
  }
  await within(listening(port), START_MS, () => 'Postfix does not listen');
  const pid = Number(await readFile(at('queue/pid/master.pid'), 'utf8'));
  end = () => void process.kill(pid, 'SIGTERM');
  // It is a daemon, and would outlive a bench that fails.
  process.on('exit', end);
  return { name: 'Postfix', port, pid, stop };
}

function mainSettings(at: (name: string) => string, sinkPort: number): string {
  return `compatibility_level = 3.6
queue_directory = ${at('queue')}
data_directory = ${at('data')}
maillog_file = ${at('mail.log')}
maillog_file_prefixes = ${at('')}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = postfix.example
mydestination =
mynetworks =
local_recipient_maps =
alias_maps =
notify_classes =
relay_domains = example.com
relay_recipient_maps =
relay_transport = relay:[127.0.0.1]:${sinkPort}
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions = reject_unverified_recipient
# Both as generous as Postfix takes them: it looks for an answer once a second, and does not slow down a client for its many connections.
address_verify_poll_delay = 1s
address_verify_poll_count = 5
smtpd_client_connection_count_limit = 0
in_flow_delay = 0s
default_destination_concurrency_limit = 100
initial_destination_concurrency = 100
`;
}

/** master.cf: only what receives, verifies and asks. Nothing in it is chrooted. */
function services(port: number): string {
  return [
    `127.0.0.1:${port} inet n - n - ${PROCESSES} smtpd`,
    'pickup    unix n - n 60 1 pickup',
    'cleanup   unix n - n - 0 cleanup',
    'qmgr      unix n - n 300 1 qmgr',
    'tlsmgr    unix - - n 1000? 1 tlsmgr',
    'rewrite   unix - - n - - trivial-rewrite',
    'verify    unix - - n - 1 verify',
    'bounce    unix - - n - 0 bounce',
    'defer     unix - - n - 0 bounce',
    'trace     unix - - n - 0 bounce',
    'flush     unix n - n 1000? 0 flush',
    'proxymap  unix - - n - - proxymap',
    'relay     unix - - n - - smtp',
    'error     unix - - n - - error',
    'retry     unix - - n - - error',
    'discard   unix - - n - - discard',
    'scache    unix - - n - 1 scache',
    'anvil     unix - - n - 1 anvil',
    'postlog   unix-dgram n - n - 1 postlogd',
    '',
  ].join('\n');
}
