import { type Configuration, ConfigurationError, problemLine } from '@callahead/core';
import { loadConfiguration } from '@callahead/core/config';
import type { Terminal } from './terminal.ts';

/** The configuration of a file. Warnings, and every problem of a file that is of no use, go to stderr; then it is null, and the exit code 2 (SPEC 1.2). */
export async function load(
  file: string,
  { stderr }: Terminal,
  { warnings: wish = 'show' }: Readonly<{ warnings?: 'show' | 'hide' }> = {},
): Promise<Configuration | null> {
  try {
    const { configuration, warnings } = await loadConfiguration(file, { env: process.env });
    for (const warning of wish === 'show' ? warnings : []) stderr.write(`${problemLine(file, warning)}\n`);
    return configuration;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    stderr.write(`${error.message}\n`);
    return null;
  }
}
