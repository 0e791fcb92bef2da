import { isIP } from 'node:net';
import type { Configuration, Explanation, ListenerSettings } from '@callahead/core';
import { profilesOf, withCanaries } from '../canaries.ts';
import { explain } from '../explain.ts';
import { explanationJson, explanationText, type Paint, unpainted } from '../explanation-text.ts';
import { openHalves } from '../halves.ts';
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

/** How long the servers may take over their goodbye. */
const QUIT_WITHIN_MS = 1_000;

/** Shows what becomes of one recipient and why. Exit codes: by the reply 2xx 0, 5xx 1, 4xx 3; usage or configuration 2 (SPEC 1.3, 1.7). */
export async function explainCommand(given: ExplainArguments, terminal: Terminal): Promise<number> {
  const configuration = await load(given.file, terminal);
  if (configuration === null) return 2;
  const settings = chooseListener(configuration, given.listener);
  if (typeof settings === 'string') return complain(settings, 2, terminal);
  const { client } = given;
  if (client !== null && isIP(client) === 0) return complain(`--client: "${client}" is not an IP address`, 2, terminal);
  const explanation = await walk(configuration, settings, given);
  const { stdout } = terminal;
  stdout.write(given.json ? explanationJson(explanation) : explanationText(explanation, painterFor(stdout)));
  return explanation.exit;
}

async function walk(
  configuration: Configuration,
  settings: ListenerSettings,
  { address, client, dry }: ExplainArguments,
): Promise<Explanation> {
  const halves = openHalves(configuration, {
    // What the gateway logs of a probe is in the explanation.
    emit: () => {},
    // The verdict says so too.
    onFatal: () => {},
    // The gateway's own sockets, whether or not it runs: a route to them is a loop.
    listenAddresses: () => configuration.listeners.flatMap(({ listen }) => listen),
    threads: 1,
  });
  try {
    // A gateway's threads have started long before; the time of a recipient is not for that.
    await halves.engine.up();
    return await withCanaries(halves, configuration, dry ? [] : profilesOf(settings), ({ guard }) =>
      explain({ address, settings, client, dry }, { ...halves, guard }),
    );
  } finally {
    await halves.close(QUIT_WITHIN_MS);
  }
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
