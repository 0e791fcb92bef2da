import { dirname, isAbsolute, join } from 'node:path';

/** Reads a file that a configuration names. The Error says why it cannot be read. */
export type ReadText = (file: string) => string | Error;

/** One of the files that a configuration names. `name` is the file's in messages. */
export type TextFile =
  | Readonly<{ kind: 'read'; name: string; text: string }>
  | Readonly<{ kind: 'unreadable'; name: string; why: string }>;

/** The files that a configuration names, each read once. Relative paths start at the folder of the configuration file (SPEC 2). */
export type Files = Readonly<{ open(path: string): TextFile }>;

/** `main`: the configuration file. */
export function createFiles(main: string, readText: ReadText): Files {
  const files = new Map<string, TextFile>();
  return {
    open(path) {
      const name = isAbsolute(path) ? path : join(dirname(main), path);
      const known = files.get(name);
      if (known !== undefined) return known;
      const text = readText(name);
      const file: TextFile =
        text instanceof Error ? { kind: 'unreadable', name, why: text.message } : { kind: 'read', name, text };
      files.set(name, file);
      return file;
    },
  };
}

/** One line of a table that says something. `line` and `column` count from 1 and say where `text` begins. */
export type TableLine = Readonly<{ text: string; line: number; column: number }>;

/** The lines of a table, trimmed, without empty ones and comments: `#` begins one at the start of a line or behind a space, for a local part may hold it. */
export function* linesOf(text: string): Generator<TableLine> {
  let line = 0;
  for (let from = text.startsWith('\ufeff') ? 1 : 0, next = from; next <= text.length; from = next) {
    const end = text.indexOf('\n', from);
    next = end === -1 ? text.length + 1 : end + 1;
    line++;
    const whole = text.slice(from, next - 1);
    const said = (whole.includes('#') ? whole.replace(/(?:^|\s)#.*$/s, '') : whole).trim();
    if (said !== '') yield { text: said, line, column: whole.indexOf(said) + 1 };
  }
}
