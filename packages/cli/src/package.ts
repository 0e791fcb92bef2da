import { readFileSync } from 'node:fs';

/** What the package says of itself. */
export const { version, description } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as Readonly<{ version: string; description: string }>;
