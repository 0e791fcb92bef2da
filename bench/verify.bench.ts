/** What does `callahead verify` take for a hundred thousand addresses, and for a million: memory, time, CPU? (60 s) */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable, type Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { answer, progress } from './support/answer.ts';
import { pidOf, startProgram, tie } from './support/children.ts';
import { busy } from './support/machine.ts';
import { cpuSecondsOf, megabytesOf, peakMegabytesOf } from './support/processes.ts';
import { figure, median } from './support/statistics.ts';
import { table } from './support/table.ts';

/** Memory: the median of the first fifth and of the last, and the most there ever was. */
type Run = Readonly<
  Record<'addresses' | 'seconds' | 'cpuUs' | 'earlyMegabytes' | 'lateMegabytes' | 'mostMegabytes', number>
>;

const SIZES = [100_000, 1_000_000];
const PIECE = 1_000;
/** How often memory is looked at. */
const LOOKS = 100;
const MAIN = fileURLToPath(new URL('../packages/cli/src/main.ts', import.meta.url));

const folder = mkdtempSync(join(tmpdir(), 'callahead-bench-'));
const sink = await startProgram('sink');
const file = join(folder, 'callahead.yaml');
writeFileSync(file, JSON.stringify(configuration(sink.port)));
const runs: Run[] = [];
for (const addresses of SIZES) {
  const run = await verify(addresses);
  runs.push(run);
  progress(
    `${figure(addresses)} addresses: ${figure(addresses / run.seconds)} a second, ${figure(run.lateMegabytes)} MB`,
  );
}
await sink.stop();
rmSync(folder, { recursive: true });

const rows = runs.map(({ addresses, seconds, cpuUs, earlyMegabytes, lateMegabytes, mostMegabytes }) =>
  [addresses, addresses / seconds, cpuUs, earlyMegabytes, lateMegabytes, mostMegabytes].map(figure),
);
const head = ['addresses', 'a second', 'CPU, µs each', 'memory, first fifth, MB', 'last fifth, MB', 'the most, MB'];
const growth = runs.map(({ earlyMegabytes, lateMegabytes }) => figure(lateMegabytes / earlyMegabytes)).at(-1);
answer(
  'verify',
  `${table(head, rows)}\n\nIn the last fifth of the longer run memory is ${growth} times that of the first. Load average ${busy().toFixed(1)} at the end.`,
);

/** The default settings, and a server that knows everybody. */
function configuration(port: number): object {
  return {
    hostname: 'gateway.example',
    listeners: {
      inbound: {
        type: 'public',
        listen: '127.0.0.1:0',
        callAheadProfile: 'sink',
        recipientAccess: 'ours',
        relay: false,
      },
    },
    callAheadProfiles: { sink: { serverType: 'static', servers: `127.0.0.1:${port}` } },
    recipientAccess: { ours: [{ match: 'example.com', action: 'accept' }] },
  };
}

/** Throws where a result is missing, or stands in another place than its address. */
async function verify(addresses: number): Promise<Run> {
  const args = [MAIN, 'verify', '-c', file, '--format', 'csv'];
  const child: ChildProcessByStdio<Writable, Readable, null> = tie(
    spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'ignore'] }),
  );
  const pid = pidOf(child);
  const startedMs = performance.now();
  Readable.from(pieces(addresses)).pipe(child.stdin);
  const memory: number[] = [];
  let [results, mostMegabytes, cpuSeconds, seconds] = [-1, 0, 0, 0];
  for await (const line of createInterface(child.stdout)) {
    const expected = results < 0 ? 'recipient,kind,' : `${addressAt(results)},valid,`;
    if (!line.startsWith(expected)) throw new Error(`result ${results} is ${line}: expected ${expected}`);
    results++;
    if (results > 0 && results % (addresses / LOOKS) === 0) memory.push(megabytesOf(pid));
    if (results < addresses) continue;
    seconds = (performance.now() - startedMs) / 1_000;
    mostMegabytes = peakMegabytesOf(pid);
    cpuSeconds = cpuSecondsOf(pid);
  }
  if (results !== addresses) throw new Error(`${results} results of ${addresses} addresses`);
  return {
    addresses,
    seconds,
    cpuUs: (cpuSeconds / addresses) * 1e6,
    earlyMegabytes: median(memory.slice(0, LOOKS / 5)),
    lateMegabytes: median(memory.slice(-LOOKS / 5)),
    mostMegabytes,
  };
}

function* pieces(addresses: number): Generator<string> {
  for (let from = 0; from < addresses; from += PIECE) {
    yield Array.from({ length: Math.min(PIECE, addresses - from) }, (_, i) => `${addressAt(from + i)}\n`).join('');
  }
}

function addressAt(place: number): string {
  return `first.last${place}@example.com`;
}
