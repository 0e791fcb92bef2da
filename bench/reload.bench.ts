/** What do a thousand reloads under load cost: sessions that fail, latency, memory? (230 s) */
import { setTimeout } from 'node:timers/promises';
import { startGateway } from './peers/gateway.ts';
import { answer, progress } from './support/answer.ts';
import { load, startProgram } from './support/children.ts';
import { busy } from './support/machine.ts';
import { readOptions } from './support/options.ts';
import { megabytesOf } from './support/processes.ts';
import { figure, median } from './support/statistics.ts';
import { table } from './support/table.ts';

type Window = Readonly<{ failed: number; rate: number; p50Ms: number; p99Ms: number; megabytes: number }>;

const RELOADS = 1_000;

const options = readOptions();
const rounds = options.rounds ?? 5;
const seconds = options.seconds ?? 20;
/** So that the windows have all reloads together. */
const pauseMs = (seconds * 1_000 * rounds) / RELOADS;

const sink = await startProgram('sink');
const gateway = await startGateway({ sinkPort: sink.port });
const windows = new Map<string, Window[]>([
  ['none', []],
  ['reloads', []],
]);
await watch('warm-up', 3);
for (let round = 1; round <= rounds; round++) {
  for (const [name, measured] of windows) {
    const window = await watch(name, seconds);
    measured.push(window);
    progress(`round ${round}, ${name}: ${figure(window.rate)} RCPT/s, p99 ${figure(window.p99Ms)} ms`);
  }
}
const events = gateway.logged().map(({ event }) => event);
const reloads = events.filter((event) => event === 'gateway.reloaded').length;
const freed = events.filter((event) => event === 'gateway.generation-ended').length;
await gateway.stop();
await sink.stop();

const all = [...windows.values()].flat();
const [calm = Number.NaN, stirred = Number.NaN] = [...windows.values()].map((each) =>
  median(each.map((one) => one.p99Ms)),
);
const summary = [
  `${reloads} reloads, one every ${Math.round(pauseMs)} ms; ${all.reduce((sum, { failed }) => sum + failed, 0)} sessions failed; ${reloads - freed} earlier configurations were not freed;`,
  `p99 with reloads is ${figure(stirred / calm)} times that without.`,
  `Medians of ${rounds} interleaved rounds of ${seconds} s; load average ${busy().toFixed(1)} at the end.`,
].join(' ');
answer(
  'reload',
  `${table(['', 'RCPT/s', 'p50, ms', 'p99, ms', 'memory at the end, MB'], [row('no reload', 'none'), row('reloads', 'reloads')])}\n\n${summary}`,
);

/** Sessions of five recipients, one after another in fifty places: the 100 ms before a greeting leave the machine some rest. */
async function watch(name: string, windowSeconds: number): Promise<Window> {
  const stop = new AbortController();
  const reloading = name === 'reloads' ? reload(stop.signal) : Promise.resolve();
  const result = await load({ port: gateway.port, sessions: 50, recipients: 5, seconds: windowSeconds });
  stop.abort();
  await reloading;
  const { accepted, deferred, refused, turnedAway, broken, p50Ms, p99Ms } = result;
  const rate = accepted / result.seconds;
  return { failed: deferred + refused + turnedAway + broken, rate, p50Ms, p99Ms, megabytes: megabytesOf(gateway.pid) };
}

async function reload(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    process.kill(gateway.pid, 'SIGHUP');
    await setTimeout(pauseMs);
  }
}

function row(label: string, name: string): readonly string[] {
  const measured = windows.get(name) ?? [];
  const middle = (of: (one: Window) => number): string => figure(median(measured.map(of)));
  const megabytes = figure(measured.at(-1)?.megabytes ?? Number.NaN);
  return [label, middle((one) => one.rate), middle((one) => one.p50Ms), middle((one) => one.p99Ms), megabytes];
}
