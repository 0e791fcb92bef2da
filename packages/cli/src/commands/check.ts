import { load } from '../load.ts';
import type { Terminal } from '../terminal.ts';

/** Checks a configuration file and writes every problem to stderr. Exit codes: 0 usable, with warnings or without; 2 not (SPEC 1.2). */
export async function checkCommand({ file }: Readonly<{ file: string }>, terminal: Terminal): Promise<number> {
  if ((await load(file, terminal)) === null) return 2;
  terminal.stdout.write(`${file}: ok\n`);
  return 0;
}
