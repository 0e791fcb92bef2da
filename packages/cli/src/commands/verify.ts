import { once } from 'node:events';
import type { Canaries } from '@callahead/admin';
import type { Configuration, Profile, Recipient, Verdict } from '@callahead/core';
import { askAlone } from '../alone.ts';
import { createValidate, type Halves } from '../halves.ts';
import { load } from '../load.ts';
import { complain, type Terminal } from '../terminal.ts';
import { type Choice, chooseAsked } from '../verify/asked.ts';
import { cutTornLine, EarlierError, openEarlier } from '../verify/earlier.ts';
import { FORMATS, type FormatName } from '../verify/format.ts';
import { inOrder } from '../verify/in-order.ts';
import {
  argumentInput,
  type Given,
  type Input,
  processStdin,
  type Stdin,
  skipEarlier,
  streamInput,
} from '../verify/input.ts';
import { createProgress } from '../verify/progress.ts';
import { type Address, invalidResult, type Result, resultOf } from '../verify/result.ts';
import { createStopper, type Stopper } from '../verify/stop.ts';
import { createTally, pace, type Tally } from '../verify/tally.ts';
import { printable } from '../visible.ts';

/** The command's arguments; null where they were not given. No `addresses`, or `-`: they come from stdin. `resume`: a file with results of an earlier run. */
export type VerifyArguments = Readonly<{
  addresses: readonly string[];
  file: string;
  profile: string | null;
  listener: string | null;
  concurrency: string | null;
  format: string | null;
  resume: string | null;
}>;

type Plan = Readonly<{
  configuration: Configuration;
  choice: Choice;
  concurrency: number;
  format: FormatName;
  resume: string | null;
}>;

/** What earlier runs had, in the unit of the input. */
type Start = Readonly<{ done: number; place: number; hasHeader: boolean }>;

const CONCURRENCY = 100;
/** So many answers may wait for one that is due before them: a server that is waited for holds nobody up for long. */
const AHEAD = 10_000;

/**
 * Asks about many recipients and writes one result a line, in the order of the addresses (SPEC 1.4). Exit codes: 0 all are valid, 1 one is not, or it was stopped,
 * 3 one could not be told; usage or configuration 2.
 */
export async function verifyCommand(given: VerifyArguments, terminal: Terminal, stdin?: Stdin): Promise<number> {
  const plan = await planFor(given, terminal);
  if (plan === null) return 2;
  const input = openInput(given.addresses, stdin, terminal);
  const stopper = createStopper(terminal.stdout);
  try {
    return await verify(plan, input, stopper, terminal);
  } catch (error) {
    if (error instanceof EarlierError) return complain(`--resume: ${error.message}`, 2, terminal);
    throw error;
  } finally {
    stopper.close();
    input.close();
  }
}

async function planFor(given: VerifyArguments, terminal: Terminal): Promise<Plan | null> {
  const configuration = await load(given.file, terminal);
  if (configuration === null) return null;
  const refuse = (message: string): null => {
    complain(message, 2, terminal);
    return null;
  };
  const choice = chooseAsked(configuration, given);
  if (typeof choice === 'string') return refuse(choice);
  // One destination may hold a quarter (SPEC 8.4): more would be answered `overload`.
  const most = Math.max(1, Math.floor(configuration.engine.maxPending / 4));
  const concurrency = given.concurrency === null ? Math.min(CONCURRENCY, most) : numberIn(given.concurrency, most);
  if (concurrency === null)
    return refuse(`--concurrency: "${given.concurrency}" is not right: expected a number from 1 to ${most}`);
  const format = Object.keys(FORMATS).find((name): name is FormatName => name === (given.format ?? 'text'));
  if (format === undefined)
    return refuse(`--format: "${given.format}" is not right: expected ${Object.keys(FORMATS).join(', ')}`);
  return { configuration, choice, concurrency, format, resume: given.resume };
}

function numberIn(text: string, most: number): number | null {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  return number >= 1 && number <= most ? number : null;
}

function openInput(addresses: readonly string[], stdin: Stdin | undefined, { stderr }: Terminal): Input {
  if (addresses.length > 0 && addresses.join() !== '-') return argumentInput(addresses);
  if (stdin === undefined && process.stdin.isTTY) stderr.write('addresses, one a line; Ctrl-D ends them\n');
  return streamInput(stdin ?? processStdin());
}

async function verify(plan: Plan, input: Input, stopper: Stopper, terminal: Terminal): Promise<number> {
  const tally = createTally();
  const start = await startOf(plan, input, tally);
  const startedMs = performance.now();
  const broken = await run(plan, input, { tally, start, stopper, terminal });
  const stopped = stopper.stopped();
  if (broken !== null) complain(`the addresses cannot be read: ${broken}`, 1, terminal);
  if (stopped?.quiet !== true) {
    const early = stopped === null ? '' : `stopped ${stopped.why}; `;
    terminal.stderr.write(
      `${printable(`${early}${tally.words()}; ${pace(tally.total(), start.done, performance.now() - startedMs)}`)}\n`,
    );
  }
  return Math.max(tally.exit(), stopped === null && broken === null ? 0 : 1);
}

async function startOf({ format, resume }: Plan, input: Input, tally: Tally): Promise<Start> {
  if (resume === null) return { done: 0, place: 0, hasHeader: false };
  const earlier = await openEarlier(resume, FORMATS[format]);
  const place = await skipEarlier(input, earlier, resume, tally);
  await cutTornLine(resume, process.stdout.fd, earlier.wholeOctets());
  return { done: tally.total(), place, hasHeader: earlier.wholeOctets() > 0 };
}

type RunParts = Readonly<{ tally: Tally; start: Start; stopper: Stopper; terminal: Terminal }>;

/** Resolves with what is wrong with the input, or null. */
async function run(plan: Plan, input: Input, parts: RunParts): Promise<string | null> {
  const { configuration, choice } = plan;
  const onFatal = (error: Error): void =>
    parts.stopper.stop({ why: `because the engine gave up: ${error.message}`, quiet: false });
  try {
    await askAlone(configuration, { profiles: choice.profiles, onFatal }, (halves, canaries) =>
      writeResults(plan, input, parts, createAsk(choice, halves, canaries)),
    );
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

type Ask = (address: Address) => Result | Promise<Result>;

/** Asks as a recipient of the listener's would be asked about, caches of this run included. */
function createAsk(choice: Choice, { router, engine, now }: Halves, canaries: Canaries): Ask {
  const validate = canaries.guard(createValidate(router, engine.validate));
  const shown = (recipient: Recipient, { name }: Profile, verdict: Verdict): Result =>
    resultOf(recipient, name, verdict, canaries.catchAll(name, verdict.server));
  return (address) => {
    if (address.kind === 'bad') return invalidResult(address.text, address.reply);
    const { recipient } = address;
    const { profile, listener } = choice.of(recipient);
    const deadlineMs = now() + profile.validationTimeoutMs;
    const verdict = validate({ recipient, profile, listener, deadlineMs, recorder: null });
    if (!(verdict instanceof Promise)) return shown(recipient, profile, verdict);
    return verdict.then((one) => shown(recipient, profile, one));
  };
}

async function writeResults(plan: Plan, { given, total }: Input, parts: RunParts, ask: Ask): Promise<void> {
  const { tally, start, stopper, terminal } = parts;
  const { stdout, stderr } = terminal;
  const format = FORMATS[plan.format];
  const bounds = { atOnce: plan.concurrency, ahead: AHEAD + plan.concurrency };
  const placed = ({ address, place }: Given) => {
    const result = ask(address);
    return result instanceof Promise ? result.then((one) => ({ result: one, place })) : { result, place };
  };
  const progress = createProgress({ stderr, total, from: start, now: () => performance.now() });
  try {
    if (format.header !== '' && !start.hasHeader) stdout.write(format.header);
    for await (const answers of inOrder(given, placed, bounds, stopper.signal)) {
      if (stdout.isTTY) progress.makeRoom();
      const hasRoom = stdout.write(answers.map(({ result }) => format.print(result)).join(''));
      for (const { result } of answers) tally.add(result.kind);
      progress.advance(tally.total(), answers.at(-1)?.place ?? 0);
      // The reader sets the pace. What ends the wait early is in the stopper.
      if (!hasRoom) await once(stdout, 'drain', { signal: stopper.signal }).catch(() => {});
    }
  } finally {
    progress.stop();
  }
}
