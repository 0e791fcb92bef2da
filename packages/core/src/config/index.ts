import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { ConfigurationError } from '../errors.ts';
import { machineInterfaces } from '../local-address.ts';
import type { AdminSettings } from '../settings.ts';
import { parseAdminSection } from './admin-section.ts';
import { type Loaded, parseConfiguration } from './parse.ts';

export type { ReadText } from './files.ts';
export { type Loaded, type ParseOptions, parseConfiguration } from './parse.ts';
export { configurationReference } from './reference.ts';
export { configurationSchema } from './schema.ts';

type LoadOptions = Readonly<{ env: Readonly<Record<string, string | undefined>> }>;

/** Reads a configuration file. Throws ConfigurationError with every problem found, also where the file cannot be read. */
export async function loadConfiguration(file: string, options: LoadOptions): Promise<Loaded> {
  const text = await readText(file);
  return parseConfiguration(text, {
    file,
    env: options.env,
    cores: availableParallelism(),
    readText: readNow,
    interfaces: machineInterfaces(),
    nowMs: Date.now(),
  });
}

/** Reads of a configuration file how a gateway that runs with it is reached: whatever else is wrong with the file does not matter. Throws ConfigurationError with every problem of that. */
export async function loadAdminSettings(file: string, { env }: LoadOptions): Promise<AdminSettings> {
  return parseAdminSection(await readText(file), { file, env, readText: readNow });
}

/** Parsing takes longer than reading, and is no less in one piece. */
function readNow(file: string): string | Error {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    return cause instanceof Error ? cause : new Error(String(cause));
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `the file cannot be read (${why}): expected a YAML file`;
    throw new ConfigurationError(file, [{ severity: 'error', line: 1, column: 1, message }]);
  }
}
