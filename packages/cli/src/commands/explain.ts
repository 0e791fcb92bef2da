import { isIP } from 'node:net';
import type { Configuration, ListenerSettings } from '@callahead/core';
import { askAlone } from '../alone.ts';
import { profilesOf } from '../canaries.ts';
import { explain } from '../explain.ts';
import { explanationJson, explanationText, type Paint, unpainted } from '../explanation-text.ts';
import { load } from '../load.ts';
import { complain, type Terminal } from '../terminal.ts';
import { painted } from '../tone.ts';

/** The command's arguments; `listener` and `client` null where they were not given. */
export type ExplainArguments = Readonly<{
  address: string;
  file: string;
  listener: string | null;
  client: string | null;
  dry: boolean;
  json: boolean;
}>;

/** Shows what becomes of one recipient and why. Exit codes: by the reply 2xx 0, 5xx 1, 4xx 3; usage or configuration 2 (SPEC 1.3, 1.7). */
export async function explainCommand(given: ExplainArguments, terminal: Terminal): Promise<number> {
  const configuration = await load(given.file, terminal);
  if (configuration === null) return 2;
  const settings = chooseListener(configuration, given.listener);
  if (typeof settings === 'string') return complain(settings, 2, terminal);
  const { client } = given;
  if (client !== null && isIP(client) === 0) return complain(`--client: "${client}" is not an IP address`, 2, terminal);
  const { address, dry } = given;
  // That the engine gave up the verdict says too.
  const alone = { profiles: dry ? [] : profilesOf(settings), onFatal: () => {}, threads: 1 };
  const explanation = await askAlone(configuration, alone, (halves, { guard }) =>
    explain({ address, settings, client, dry }, { ...halves, guard }),
  );
  const { stdout } = terminal;
  stdout.write(given.json ? explanationJson(explanation) : explanationText(explanation, painterFor(stdout)));
  return explanation.exit;
}

/** The listener of that name, else the first public one; text says what is wrong. */
function chooseListener({ listeners }: Configuration, name: string | null): ListenerSettings | string {
  if (name === null) return listeners.find(({ type }) => type === 'public') ?? NO_PUBLIC_LISTENER;
  const names = listeners.map((each) => each.name).join(', ');
  return (
    listeners.find((each) => each.name === name) ??
    `--listener: there is no listener "${name}", expected one of ${names}`
  );
}

const NO_PUBLIC_LISTENER = 'the configuration has no public listener: name another one with --listener';

/** Colours on a terminal that wants them, nothing anywhere else. */
function painterFor(stdout: NodeJS.WriteStream): Paint {
  if (!stdout.isTTY) return unpainted;
  return (tone, text) => painted(tone, text, stdout);
}
