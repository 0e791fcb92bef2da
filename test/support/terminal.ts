import { Writable } from 'node:stream';
import type { Terminal } from '../../packages/cli/src/terminal.ts';

/** A terminal that remembers. */
export function listen(): Readonly<{ said: Readonly<{ stdout: string; stderr: string }>; terminal: Terminal }> {
  const said = { stdout: '', stderr: '' };
  const to = (name: 'stdout' | 'stderr') =>
    new Writable({
      write(chunk, _encoding, done) {
        said[name] += String(chunk);
        done();
      },
    }) as unknown as NodeJS.WriteStream;
  return { said, terminal: { stdout: to('stdout'), stderr: to('stderr') } };
}
