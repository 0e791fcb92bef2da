/** Do 5,000 clients that send an octet every ten seconds take anything from healthy ones? (60 s) */
import { startGateway } from './peers/gateway.ts';
import { answer } from './support/answer.ts';
import { type Measured, measure, startProgram } from './support/children.ts';
import { gather } from './support/crowd.ts';
import { readOptions } from './support/options.ts';
import { figure, median } from './support/statistics.ts';
import { table } from './support/table.ts';

const SLOW = 5_000;
const BYTE_MS = 10_000;
const options = readOptions();
const rounds = options.rounds ?? 3;
const seconds = options.seconds ?? 4;

const sink = await startProgram('sink');
const gateway = await startGateway({ sinkPort: sink.port, limits: { sessions: 20_000 } });
await measure(gateway, { seconds: 3 });
const alone: Measured[] = [];
const beside: Measured[] = [];
let left = 0;
for (let round = 0; round < rounds; round++) {
  alone.push(await measure(gateway, { seconds }));
  const crowd = await gather(gateway.port, SLOW, BYTE_MS);
  beside.push(await measure(gateway, { seconds }));
  left = await crowd.leave();
}
await gateway.stop();
await sink.stop();

const share = median(beside.map(({ rate }) => rate)) / median(alone.map(({ rate }) => rate));
const rows = [describe('healthy clients alone', alone), describe(`beside ${figure(left)} slow ones`, beside)];
answer(
  'slow',
  [
    table(['', 'RCPT/s', 'p99, ms', 'memory, MB, first round', 'last round'], rows),
    `Healthy clients keep ${(100 * share).toFixed(1)} % of their throughput (wanted: 95 %).`,
  ].join('\n\n'),
);

function describe(name: string, measured: readonly Measured[]): string[] {
  const megabytes = [measured[0]?.megabytes, measured.at(-1)?.megabytes];
  return [
    name,
    figure(median(measured.map(({ rate }) => rate))),
    figure(median(measured.map(({ p99Ms }) => p99Ms))),
    ...megabytes.map((size) => figure(size ?? Number.NaN)),
  ];
}
