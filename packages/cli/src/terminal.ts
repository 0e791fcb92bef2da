import { printable } from './visible.ts';

/** Where a command writes. */
export type Terminal = Readonly<{ stdout: NodeJS.WriteStream; stderr: NodeJS.WriteStream }>;

/** One line on stderr, whoever its words are by; the exit code that it is worth. */
export function complain(message: string, exitCode: number, { stderr }: Terminal): number {
  stderr.write(`${printable(message)}\n`);
  return exitCode;
}

/** JSON on one line, with nothing in it that a terminal obeys. */
export function jsonLine(value: object): string {
  return `${printable(JSON.stringify(value))}\n`;
}
