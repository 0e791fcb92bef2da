import { configurationSchema } from '@callahead/core/config';
import type { Terminal } from '../terminal.ts';

/** Prints the JSON Schema of the configuration file. Exit code 0. */
export function schemaCommand({ stdout }: Terminal): number {
  stdout.write(`${JSON.stringify(configurationSchema(), null, 2)}\n`);
  return 0;
}
