import { ConfigurationError, problemLine } from '@callahead/core';
import { loadConfiguration } from '@callahead/core/config';
import type { Terminal } from '../terminal.ts';

/** Checks a configuration file and writes every problem to stderr. Exit codes: 0 usable, with warnings or without; 2 not (SPEC 1.2). */
export async function checkCommand({ file }: Readonly<{ file: string }>, terminal: Terminal): Promise<number> {
  try {
    const { warnings } = await loadConfiguration(file, { env: process.env });
    for (const warning of warnings) terminal.stderr.write(`${problemLine(file, warning)}\n`);
    terminal.stdout.write(`${file}: ok\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    terminal.stderr.write(`${error.message}\n`);
    return 2;
  }
}
