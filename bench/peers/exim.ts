/** An Exim that verifies recipients by callout to the mail server behind it, with a configuration, a spool and a port of its own. */
import { spawn } from 'node:child_process';
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finish, freePort, listening, needRoot, program, temporaryFolder, within } from '../../test/support/debian.ts';
import { type Peer, pidOf, stop, tie } from '../support/children.ts';

const START_MS = 10_000;

export async function startExim(sinkPort: number): Promise<Peer> {
  const exim = program('exim4');
  needRoot('Exim');
  // Debian compiles the user in; its numbers differ from machine to machine.
  const [uid, gid] = [await numberOf('-u'), await numberOf('-g')];
  const folder = await temporaryFolder('bench-exim');
  const at = (name: string): string => join(folder.path, name);
  const port = await freePort();
  await chmod(folder.path, 0o755);
  for (const name of ['spool', 'log']) {
    await mkdir(at(name));
    await chown(at(name), uid, gid);
  }
  await writeFile(at('exim.conf'), configuration(at, exim, sinkPort));
  const args = ['-C', at('exim.conf'), '-bdf', '-oX', `127.0.0.1.${port}`, '-oP', at('pid')];
  // A group of its own, so that it ends with the processes that still serve a session.
  const child = tie(spawn(exim, args, { stdio: ['ignore', 'inherit', 'inherit'], detached: true }));
  const pid = pidOf(child);
  await within(listening(port), START_MS, () => 'Exim does not listen');
  return {
    name: 'Exim',
    port,
    pid,
    async stop() {
      await stop(child);
      endGroup(pid);
      await folder.remove();
    },
  };
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // None was left.
  }
}

async function numberOf(option: '-u' | '-g'): Promise<number> {
  const { code, output } = await finish('id', [option, 'Debian-exim']);
  if (code !== 0) throw new Error('there is no user Debian-exim: npm test as root creates it');
  return Number(output);
}

function configuration(at: (name: string) => string, exim: string, sinkPort: number): string {
  return `
primary_hostname = exim.example
exim_path = ${exim}
spool_directory = ${at('spool')}
log_file_path = ${at('log/%slog')}
pid_file_path = ${at('pid')}
keep_environment =
deliver_drop_privilege = true
never_users = root
host_lookup =
rfc1413_hosts =
tls_advertise_hosts =
smtp_accept_max = 1000
smtp_accept_queue = 0
smtp_accept_max_per_connection = 10000
pipelining_advertise_hosts = *
acl_smtp_rcpt = rcpt

begin acl
rcpt:
  deny
    ! domains = example.com
  require
    verify = recipient/callout=10s
  accept

begin routers
behind:
  driver = manualroute
  domains = example.com
  route_list = * 127.0.0.1::${sinkPort} byname
  self = send
  transport = behind

begin transports
behind:
  driver = smtp
`;
}
