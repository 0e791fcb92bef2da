import { errorAt, type Fault } from './faults.ts';
import type { Files } from './files.ts';
import { show } from './parsed.ts';
import type { Path } from './positions.ts';

/** A file that a key names must be there. */
export function checkFile(path: Path, name: unknown, files: Files): Fault[] {
  if (typeof name !== 'string') return [];
  const file = files.open(name);
  if (file.kind === 'read') return [];
  return [errorAt(path, `${show(name)} cannot be read (${file.why}): expected a file`)];
}

/** A file with a password must be there, and have one. */
export function checkPasswordFile(path: Path, name: unknown, files: Files): Fault[] {
  const unreadable = checkFile(path, name, files);
  if (unreadable.length > 0 || typeof name !== 'string') return unreadable;
  if (passwordIn(name, files) !== '') return [];
  return [errorAt(path, `${show(name)} is empty: expected a password`)];
}

/** The file was read when it was checked. */
export function textIn(name: string, files: Files): string {
  const file = files.open(name);
  if (file.kind === 'unreadable') throw new TypeError(`${file.name} cannot be read: ${file.why}`);
  return file.text;
}

/** Editors end a file with a line end, which is no part of the password. */
export function passwordIn(name: string, files: Files): string {
  return textIn(name, files).replace(/\r?\n$/, '');
}
