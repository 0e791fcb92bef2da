/** How does the rate of never-seen recipients grow with the engine's threads? (40 s) */
import { availableParallelism } from 'node:os';
import { startGateway } from './peers/gateway.ts';
import { answer } from './support/answer.ts';
import { type Measured, measure, startProgram } from './support/children.ts';
import { readOptions } from './support/options.ts';
import { figure, median } from './support/statistics.ts';
import { table } from './support/table.ts';

const COUNTS = [1, 2, 4];
const options = readOptions();
const rounds = options.rounds ?? 3;
const seconds = options.seconds ?? 2;

const sink = await startProgram('sink');
const gateways = await Promise.all(
  COUNTS.map((threads) =>
    startGateway({
      sinkPort: sink.port,
      profile: { maxConnectionsPerServer: 8 },
      sections: { engine: { threads } },
    }),
  ),
);
const figures: Measured[][] = COUNTS.map(() => []);
for (let round = 0; round <= rounds; round++) {
  for (const [at, gateway] of gateways.entries()) {
    const measured = await measure(gateway, { distinct: null, prefix: `r${round}n`, seconds });
    // Round 0 warms up.
    if (round > 0) figures[at]?.push(measured);
  }
}
for (const peer of [...gateways, sink]) await peer.stop();
const rates = figures.map((measured) => median(measured.map(({ rate }) => rate)));
const rows = COUNTS.map((threads, at) => [
  String(threads),
  figure(rates[at] ?? Number.NaN),
  ((rates[at] ?? Number.NaN) / (rates[0] ?? Number.NaN)).toFixed(2),
  figure(median((figures[at] ?? []).map(({ cpuUs }) => cpuUs))),
]);
answer(
  'threads',
  [
    table(['engine threads', 'RCPT/s', '×', 'CPU, µs a recipient'], rows),
    `This machine has ${availableParallelism()} cores, which the load generator, the server behind and the gateway's main thread share with them.`,
  ].join('\n\n'),
);
