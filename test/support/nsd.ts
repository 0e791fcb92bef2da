/** A real name server, NSD, with a zone, a folder and a port of its own. */
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, program, temporaryFolder } from './debian.ts';

export type Nsd = Readonly<{
  /** `127.0.0.1:port`, as `dns.servers` wants it. */
  at: string;
  stop(): Promise<void>;
}>;

const START_MS = 20_000;

/** Serves the records (lines of a zone file, names relative) of the zone; resolves when it answers. */
export async function startNsd(zone: string, records: string): Promise<Nsd> {
  const nsd = program('nsd');
  const folder = await temporaryFolder('nsd');
  const at = (name: string): string => join(folder.path, name);
  const port = await freePort();
  await writeFile(
    at('zone'),
    `$ORIGIN ${zone}.\n$TTL 120\n@ SOA ns hostmaster 1 3600 900 86400 60\n@ NS ns\n${records}\n`,
  );
  await writeFile(at('nsd.conf'), settings(zone, port, at));

  const child = spawn(nsd, ['-d', '-c', at('nsd.conf')], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const started = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`NSD does not start: ${output}`)), START_MS);
    const read = (chunk: Buffer): void => {
      output += chunk;
      if (output.includes('nsd started')) resolve();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('error', reject);
    child.on('close', () => reject(new Error(`NSD ended: ${output}`)));
    child.on('close', () => clearTimeout(timer));
  });
  const closed = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const stop = async (): Promise<void> => {
    // SIGTERM: it ends its server processes too. The kill after it is for one that does not listen.
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), START_MS);
    await closed;
    clearTimeout(late);
    await folder.remove();
  };
  await started.catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { at: `127.0.0.1:${port}`, stop };
}

function settings(zone: string, port: number, at: (name: string) => string): string {
  return `server:
  ip-address: 127.0.0.1@${port}
  server-count: 1
  verbosity: 1
  username: ""
  chroot: ""
  pidfile: ""
  zonesdir: "${at('')}"
  zonelistfile: "${at('zone.list')}"
  xfrdfile: "${at('xfrd.state')}"
  xfrdir: "${at('')}"
  database: ""
remote-control:
  control-enable: no
zone:
  name: "${zone}"
  zonefile: "${at('zone')}"
`;
}
