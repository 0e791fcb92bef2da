/** A terminal that a test can look at, type into and make smaller: Debian's tmux, with a server of its own. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import { program, temporaryFolder } from './debian.ts';

export type Pane = Readonly<{
  /** What is on the screen once it is as wanted; rejects with what is there instead. */
  shows(wanted: RegExp): Promise<string>;
  /** The same, with the escapes of its colours. */
  coloured(): Promise<string>;
  press(...keys: readonly string[]): Promise<void>;
  resize(columns: number, rows: number): Promise<void>;
}>;

const run = promisify(execFile);
const LOOK_MS = 50;
const PATIENCE_MS = 30_000;

/** A shell of that size, without a prompt to speak of. It ends with the test. */
export async function openPane(
  t: ExecutionContext,
  environment: Readonly<Record<string, string>> = {},
  [columns, rows]: readonly [number, number] = [160, 30],
): Promise<Pane> {
  const folder = await temporaryFolder('tmux');
  const tmux = async (...args: readonly string[]): Promise<string> => {
    const { stdout } = await run(program('tmux'), ['-S', join(folder.path, 'socket'), '-f', '/dev/null', ...args]);
    return stdout;
  };
  t.teardown(async () => {
    await tmux('kill-server').catch(() => {});
    await folder.remove();
  });
  const variables = Object.entries({ PS1: '$ ', LC_ALL: 'C.UTF-8', ...environment }).flatMap(([name, value]) => [
    '-e',
    `${name}=${value}`,
  ]);
  await tmux('new-session', '-d', '-x', String(columns), '-y', String(rows), ...variables, 'sh');
  await tmux('set-option', '-g', 'window-size', 'manual');

  async function shows(wanted: RegExp): Promise<string> {
    const endMs = performance.now() + PATIENCE_MS;
    for (;;) {
      const text = await tmux('capture-pane', '-p');
      if (wanted.test(text)) return text;
      if (performance.now() > endMs) throw new Error(`the screen does not show ${wanted}:\n${text}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }
  return {
    shows,
    coloured: () => tmux('capture-pane', '-p', '-e'),
    press: async (...keys) => void (await tmux('send-keys', ...keys)),
    resize: async (width, height) => void (await tmux('resize-window', '-x', String(width), '-y', String(height))),
  };
}
