import { dirname, isAbsolute, join } from 'node:path';
import { errorAt, type Fault } from './faults.ts';
import { text } from './fields.ts';
import type { Files } from './files.ts';
import { fault, type Parsed, show, value } from './parsed.ts';
import type { Plain } from './plain.ts';

export const cacheFile = text(
  nonEmpty,
  'a path',
  'Where remembered answers are kept over a restart; left out, they are not. Its folder must exist.',
).optional();

/** A path that can never be written is found out before the gateway ends. */
export function checkCacheFile({ cacheFile: path }: Plain, files: Files): readonly Fault[] {
  if (typeof path !== 'string' || path === '') return [];
  const folder = files.open(dirname(path));
  // A folder that is there is no text either, but it is there.
  if (folder.kind === 'read' || /^(ENOENT|ENOTDIR)/.test(folder.why)) {
    return [
      errorAt(['cacheFile'], `${show(path)} has no folder ${folder.name}: expected a path in an existing folder`),
    ];
  }
  return [];
}

/** `main`: the configuration file. */
export function buildCacheFile(path: string | undefined, main: string): string | null {
  if (path === undefined) return null;
  return isAbsolute(path) ? path : join(dirname(main), path);
}

function nonEmpty(input: string): Parsed<string> {
  return input === '' ? fault('is empty') : value(input);
}
