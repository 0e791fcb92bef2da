/** A real HAProxy before a gateway. */
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exitCode, freePort, listening, program, temporaryFolder, within } from './debian.ts';

export type RunningProxy = Readonly<{ port: number; stop(): Promise<void> }>;

/** Passes connections to a port of 127.0.0.1, with a header of the PROXY protocol before them: `send-proxy` is version 1. */
export async function startHaproxy(to: number, header: 'send-proxy' | 'send-proxy-v2'): Promise<RunningProxy> {
  const port = await freePort();
  const folder = await temporaryFolder('haproxy');
  const file = join(folder.path, 'haproxy.cfg');
  await writeFile(
    file,
    [
      'defaults',
      '  mode tcp',
      '  timeout connect 5s',
      '  timeout client 30s',
      '  timeout server 30s',
      'listen smtp',
      `  bind 127.0.0.1:${port}`,
      `  server gateway 127.0.0.1:${to} ${header}`,
      '',
    ].join('\n'),
  );
  const child = spawn(program('haproxy'), ['-db', '-f', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk;
    });
  }
  const end = exitCode(child);

  async function stop(): Promise<void> {
    child.kill('SIGKILL');
    await end;
    await folder.remove();
  }

  const early = end.then((code) => Promise.reject(new Error(`haproxy ended with ${code}: ${output}`)));
  try {
    await within(Promise.race([listening(port), early]), 10_000, () => `haproxy does not listen: ${output}`);
    early.catch(() => {});
    return { port, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
