/** A real directory, OpenLDAP's slapd, with a configuration, a database, a certificate and ports of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Certificates, createCertificates } from './certificates.ts';
import { exitCode, finish, freePort, listening, program, temporaryFolder, within } from './debian.ts';
import { until } from './until.ts';

export type Slapd = Readonly<{
  /** For `ldap://127.0.0.1:port`, with or without STARTTLS. */
  port: number;
  /** For `ldaps://127.0.0.1:port`. */
  tlsPort: number;
  /** For 127.0.0.1 and ldap.example, of an authority that only the tests know. */
  certificates: Certificates;
  /** A file with the password of `GATEWAY_DN`. */
  passwordFile: string;
  /** Connections that are open, counted by slapd. */
  connections(): number;
  /** Searches that it was asked. */
  searches(): number;
  /** What it logged of connections and operations. */
  log(): string;
  /** It goes on to exist and to accept connections, and says nothing any more. */
  /** Settles when no thread of it runs any more. */
  pause(): Promise<void>;
  resume(): void;
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}>;

/** Who may read the directory, where nobody else may. */
export const GATEWAY_DN = 'cn=gw,dc=example';
const PASSWORD = 'geheim';
const START_MS = 20_000;
/** Connections, operations and results. */
const STATS = '256';

/** Serves the entries (LDIF, below `dc=example`, of class `mailRoute`). `readable`: by the gateway only, or by everybody. */
export async function startSlapd(entries: string, readable: 'gateway' | 'everybody' = 'gateway'): Promise<Slapd> {
  const folder = await temporaryFolder('slapd');
  const at = (name: string): string => join(folder.path, name);
  const [port, tlsPort] = [await freePort(), await freePort()];
  const certificates = await createCertificates(folder.path, ['127.0.0.1', 'ldap.example']);
  await mkdir(at('database'));
  await writeFile(at('slapd.conf'), settings(at, certificates, readable));
  await writeFile(at('entries.ldif'), `${ROOT}\n${entries}`);
  await writeFile(at('password'), `${PASSWORD}\n`);
  const added = await finish(program('slapadd'), ['-f', at('slapd.conf'), '-l', at('entries.ldif')]);
  if (added.code !== 0) throw new Error(`slapadd: ${added.output}`);

  let log = '';
  let running: Readonly<{ child: ChildProcess; end: Promise<number | null> }> | null = null;

  async function start(): Promise<void> {
    const urls = `ldap://127.0.0.1:${port}/ ldaps://127.0.0.1:${tlsPort}/`;
    const child = spawn(program('slapd'), ['-d', STATS, '-h', urls, '-f', at('slapd.conf')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const end = exitCode(child);
    running = { child, end };
    const from = log.length;
    const started = new Promise<void>((resolve) => {
      child.stderr.on('data', (chunk: Buffer) => {
        log += chunk;
        if (log.includes('slapd starting', from)) resolve();
      });
    });
    const early = end.then(() => Promise.reject(new Error(`slapd ended: ${log}`)));
    // It says that it starts before it listens.
    await within(
      Promise.race([started.then(() => listening(port)), early]),
      START_MS,
      () => `slapd does not start: ${log}`,
    );
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (running === null) return;
    const { child, end: ended } = running;
    running = null;
    child.kill(signal);
    child.kill('SIGCONT');
    await within(ended, START_MS, () => `slapd does not end: ${log}`);
    // Whoever was connected is not any more, and nobody is left to say so.
    log +=
      log
        .match(/conn=\d+ fd=\d+ ACCEPT/g)
        ?.slice(closedIn(log))
        .map(() => ' closed\n')
        .join('') ?? '';
  }

  const slapd: Slapd = {
    port,
    tlsPort,
    certificates,
    passwordFile: at('password'),
    connections: () => (log.match(/ACCEPT from/g)?.length ?? 0) - closedIn(log),
    searches: () => log.match(/ SRCH base=/g)?.length ?? 0,
    log: () => log,
    async pause() {
      const pid = running?.child.pid;
      running?.child.kill('SIGSTOP');
      if (pid !== undefined) await until(() => isStopped(pid));
    },
    resume: () => void running?.child.kill('SIGCONT'),
    kill: () => end('SIGKILL'),
    start,
    async stop() {
      await end('SIGTERM');
      await folder.remove();
    },
  };
  try {
    await start();
  } catch (error) {
    await slapd.stop();
    throw error;
  }
  return slapd;
}

/** Every thread of a process stops by itself, a little after the signal (proc(5): state T). */
function isStopped(pid: number): boolean {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.every((thread) => / T /.test(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8')));
}

function closedIn(log: string): number {
  return log.match(/ closed/g)?.length ?? 0;
}

/** An entry below `dc=example`: `attribute: value` for each line. */
export function entry(cn: string, ...lines: readonly string[]): string {
  return [`dn: cn=${cn},dc=example`, 'objectClass: mailRoute', `cn: ${cn}`, ...lines, '', ''].join('\n');
}

const ROOT = `dn: dc=example
objectClass: dcObject
objectClass: organization
dc: example
o: example

dn: ${GATEWAY_DN}
objectClass: person
cn: gw
sn: gw
userPassword: ${PASSWORD}
`;

const IA5 = 'EQUALITY caseIgnoreIA5Match SUBSTR caseIgnoreIA5SubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.26';

function settings(at: (name: string) => string, { ca, cert, key }: Certificates, readable: string): string {
  return `include /etc/ldap/schema/core.schema
attributetype ( 1.3.6.1.4.1.55555.1.1 NAME 'mailHost' ${IA5} )
attributetype ( 1.3.6.1.4.1.55555.1.2 NAME 'callAhead' ${IA5} )
attributetype ( 1.3.6.1.4.1.55555.1.3 NAME 'mailRoutingAddress' ${IA5} )
objectclass ( 1.3.6.1.4.1.55555.2.1 NAME 'mailRoute' SUP top STRUCTURAL MUST cn
  MAY ( mail $ uid $ mailHost $ callAhead $ mailRoutingAddress $ description ) )
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile ${at('pid')}
threads 4
TLSCACertificateFile ${ca}
TLSCertificateFile ${cert}
TLSCertificateKeyFile ${key}
database mdb
suffix "dc=example"
rootdn "cn=admin,dc=example"
maxsize 10485760
directory ${at('database')}
access to attrs=userPassword by anonymous auth
access to * by dn.exact="${GATEWAY_DN}" read by * ${readable === 'everybody' ? 'read' : 'auth'}
`;
}
