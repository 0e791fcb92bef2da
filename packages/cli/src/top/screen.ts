/** A whole terminal, which looks afterwards as it did before. */
import { writeSync } from 'node:fs';
import { painted } from '../tone.ts';
import type { Row } from './frame.ts';

export type Screen = Readonly<{
  size(): Readonly<{ columns: number; rows: number }>;
  /** Takes the place of what is there, without a moment in between. */
  draw(rows: readonly Row[]): void;
  close(): void;
}>;

export type ScreenOptions = Readonly<{
  stdout: NodeJS.WriteStream;
  stdin: NodeJS.ReadStream;
  key: (name: string) => void;
  /** The terminal has another size, or somebody wants it back. */
  resized: () => void;
  ended: () => void;
}>;

/** The alternate screen, no cursor, no line breaks of the terminal's own. */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J';
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';
/** Terminals that know these show nothing of what is between before it is whole. */
const BEGIN = '\x1b[?2026h\x1b[H';
const END = '\x1b[J\x1b[?2026l';
const REST_OF_LINE = '\x1b[K';
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export function openScreen({ stdout, stdin, key, resized, ended }: ScreenOptions): Screen {
  let open = true;

  /** However the process ends, save by SIGKILL. */
  function restore(): void {
    if (!open) return;
    open = false;
    try {
      if (stdin.isTTY) stdin.setRawMode(false);
      writeSync(process.stdout.fd, LEAVE);
    } catch {
      // The terminal has gone.
    }
  }

  const onKeys = (keys: Buffer): void => {
    for (const name of keys.toString()) {
      // Raw, a terminal sends Ctrl-C as a key.
      if (name === '\x03') ended();
      else key(name);
    }
  };

  function close(): void {
    restore();
    process.off('exit', restore);
    for (const signal of SIGNALS) process.off(signal, ended);
    stdout.off('resize', resized);
    stdout.off('error', ended);
    stdin.off('data', onKeys);
    stdin.pause();
  }

  process.on('exit', restore);
  for (const signal of SIGNALS) process.on(signal, ended);
  stdout.on('resize', resized);
  stdout.on('error', ended);
  stdout.write(ENTER);
  if (stdin.isTTY) {
    stdin.setRawMode(true);
    stdin.on('data', onKeys);
    stdin.on('error', () => {});
  }
  return {
    size: () => ({ columns: stdout.columns, rows: stdout.rows }),
    draw(rows) {
      const lines = rows.map(
        (row) => `${row.map(([tone, text]) => painted(tone, text, stdout)).join('')}${REST_OF_LINE}`,
      );
      stdout.write(`${BEGIN}${lines.join('\r\n')}${END}`);
    },
    close,
  };
}
