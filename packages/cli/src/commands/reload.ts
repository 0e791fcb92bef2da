import type { Changes } from '@callahead/admin';
import { openGatewayClient, tell } from '../gateway-client.ts';
import { jsonLine, type Terminal } from '../terminal.ts';
import { printable } from '../visible.ts';

/** Lets the running gateway read its configuration file again (SPEC 1.6). Exit codes: 0 it is at work; 1 no gateway answers; 2 the file is of no use, with every problem of it. */
export async function reloadCommand(
  { file, json }: Readonly<{ file: string; json: boolean }>,
  terminal: Terminal,
): Promise<number> {
  const client = await openGatewayClient(file, terminal);
  if (client === null) return 2;
  const answer = await client.ask('/api/v1/reload', 'generation', {});
  if (answer.kind === 'trouble') return tell(answer, terminal);
  const changes = answer.body as Changes;
  terminal.stdout.write(json ? jsonLine(changes) : changesText(changes));
  return 0;
}

function changesText({ generation, opened, closed, kept, restart }: Changes): string {
  const lines = [
    `the file is at work (generation ${generation})`,
    ...opened.map((socket) => `opened  ${socket}`),
    ...closed.map((socket) => `closed  ${socket}`),
    ...kept.map((socket) => `kept    ${socket}`),
    ...restart.map((key) => `${key} has changed: that counts after a restart`),
  ];
  return lines.map((line) => `${printable(line)}\n`).join('');
}
