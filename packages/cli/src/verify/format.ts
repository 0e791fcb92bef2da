/** The forms in which results are written, and read again by a run that goes on where another one ended. */
import { printable } from '../visible.ts';
import { KINDS, type Result, type ResultKind } from './result.ts';

/** What of a written result counts later. `recipient` as `printable` has it. */
export type Written = Readonly<{ recipient: string; kind: ResultKind }>;

export type Format = Readonly<{
  /** Before the first result; empty: nothing. */
  header: string;
  /** One line, with its line end and nothing in it that a terminal obeys. */
  print(result: Result): string;
  /** Without its line end; null: the line is none of this format. */
  read(line: string): Written | null;
}>;

const COLUMNS = [
  'recipient',
  'kind',
  'code',
  'source',
  'server',
  'profile',
  'reply',
  'cause',
  'detail',
  'catchAll',
] as const satisfies (keyof Result)[];

const json: Format = {
  header: '',
  print: (result) => `${printable(JSON.stringify(result, COLUMNS))}\n`,
  read(line) {
    try {
      const { recipient, kind } = JSON.parse(line);
      return writtenAs(recipient, kind);
    } catch {
      return null;
    }
  },
};

const csv: Format = {
  header: `${COLUMNS.join(',')}\r\n`,
  print: (result) => `${COLUMNS.map((column) => field(result[column])).join(',')}\r\n`,
  read(line) {
    const [, quoted, plain = '', kind] = /^(?:"((?:[^"]|"")*)"|([^",]*)),(\w+),/.exec(line) ?? [];
    return writtenAs(quoted?.replaceAll('""', '"') ?? plain, kind);
  },
};

/** Tabs between: kind, code, recipient, who said so, and what else is to be said. */
const text: Format = {
  header: '',
  print({ kind, code, recipient, server, source, reply, cause, detail, catchAll }) {
    const words = reply ?? (cause === null ? doubt(kind, catchAll) : `${cause}: ${detail}`);
    return `${[kind, String(code), recipient, server || source || '-', words].map(printable).join('\t').trimEnd()}\n`;
  },
  read(line) {
    const [kind, , recipient] = line.split('\t');
    return writtenAs(recipient, kind);
  },
};

export const FORMATS = { json, csv, text } as const;
export type FormatName = keyof typeof FORMATS;

function writtenAs(recipient: unknown, kind: unknown): Written | null {
  const known = KINDS.find((each) => each === kind);
  return typeof recipient === 'string' && known !== undefined ? { recipient: printable(recipient), kind: known } : null;
}

/** What there is to say of a yes. */
function doubt(kind: ResultKind, catchAll: boolean): string {
  return kind === 'valid' && catchAll ? 'the server accepts everybody' : '';
}

/** RFC 4180 §2. What a spreadsheet would take for a formula is quoted too, which most take for a text then. */
function field(value: string | number | boolean | null): string {
  const plain = printable(String(value ?? ''));
  return /[",]|^[=+@\s-]|\s$/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
