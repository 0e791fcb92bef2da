import { type Configuration, ConfigurationError, problemLine } from '@callahead/core';
import { loadConfiguration } from '@callahead/core/config';
import type { Terminal } from './terminal.ts';

/** The configuration of a file. Warnings, and every problem of a file that is of no use, go to stderr; then it is null, and the exit code 2 (SPEC 1.2). */
export async function load(file: string, terminal: Terminal): Promise<Configuration | null> {
  const loaded = await orComplain(loadConfiguration(file, { env: process.env }), terminal);
  for (const warning of loaded?.warnings ?? []) terminal.stderr.write(`${problemLine(file, warning)}\n`);
  return loaded?.configuration ?? null;
}

/** null: the file is of no use, and stderr has every problem of it. */
export async function orComplain<Read>(reading: Promise<Read>, { stderr }: Terminal): Promise<Read | null> {
  try {
    return await reading;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    stderr.write(`${error.message}\n`);
    return null;
  }
}
