/** Clients that only hold sessions, in a process of their own. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { tie } from './children.ts';

/** `opened` sessions were open at first; `leave` closes them and says how many still were. */
export type Crowd = Readonly<{ opened: number; leave(): Promise<number> }>;

const FILE = fileURLToPath(new URL('../programs/crowd.ts', import.meta.url));

/** Resolves once all are connected. `byteMs`: each sends an octet so often; 0: none says anything. */
export async function gather(port: number, count: number, byteMs: number): Promise<Crowd> {
  const args = [FILE, port, count, byteMs].map(String);
  const child = tie(spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] }));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const opened = Number((await lines.next()).value);
  return {
    opened,
    async leave() {
      child.stdin.write('\n');
      return Number((await lines.next()).value);
    },
  };
}
