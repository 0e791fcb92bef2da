/** What do nine destinations lose when the tenth takes connections and says nothing? (60 s) */
import { type GatewayPeer, startGateway } from './peers/gateway.ts';
import { answer } from './support/answer.ts';
import { load, type Measured, measure, type Peer, startProgram } from './support/children.ts';
import { readOptions } from './support/options.ts';
import { figure, median } from './support/statistics.ts';
import { table } from './support/table.ts';

const DESTINATIONS = 10;
const options = readOptions();
const rounds = options.rounds ?? 3;
const seconds = options.seconds ?? 4;

const sink = await startProgram('sink', 'any');
const silent = await startProgram('sink', 'silent');
const well = await startBefore(sink);
const ill = await startBefore(silent);
const healthy: Measured[] = [];
const beside: Measured[] = [];
for (let round = 0; round <= rounds; round++) {
  const figures = [await meet(well, round), await meet(ill, round)] as const;
  // Round 0 warms up.
  if (round === 0) continue;
  healthy.push(figures[0]);
  beside.push(figures[1]);
}
for (const peer of [well, ill, silent, sink]) await peer.stop();

const share = median(beside.map((each, round) => each.rate / (healthy[round]?.rate ?? Number.NaN)));
const slower = median(beside.map((each, round) => each.p99Ms / (healthy[round]?.p99Ms ?? Number.NaN)));
answer(
  'isolation',
  [
    table(['the nine', 'RCPT/s', 'p99, ms'], [row('all ten well', healthy), row('the tenth silent', beside)]),
    `They keep ${(100 * share).toFixed(1)} % of their throughput (wanted: 95 %), at ${slower.toFixed(2)} times the p99 (wanted: 1.25).`,
  ].join('\n\n'),
);

/** Each domain has an address of its own; all of 127/8 is this machine. */
function startBefore(tenth: Peer): Promise<GatewayPeer> {
  const nine = Array.from({ length: DESTINATIONS - 1 }, (_, n) => [
    `d${n}.example.com`,
    `127.1.0.${n + 1}:${sink.port}`,
  ]);
  const routes = [...nine, [`d${DESTINATIONS - 1}.example.com`, `127.0.0.1:${tenth.port}`]];
  return startGateway({
    sinkPort: 0,
    profile: { serverType: 'delivery-host', servers: undefined, validationTimeout: '5s', commandTimeout: '2s' },
    sections: { smtpRoutes: Object.fromEntries(routes) },
  });
}

/** Never-seen recipients at nine, while a few clients go on asking for the tenth. */
async function meet(gateway: GatewayPeer, round: number): Promise<Measured> {
  const tenth = load({
    port: gateway.port,
    sessions: 5,
    recipients: 5,
    pipelined: false,
    prefix: `tenth${round}n`,
    distinct: null,
    domains: { first: DESTINATIONS - 1, count: 1 },
    seconds: seconds + 0.5,
  });
  const nine = await measure(gateway, {
    prefix: `nine${round}n`,
    distinct: null,
    domains: { first: 0, count: DESTINATIONS - 1 },
    seconds,
  });
  await tenth;
  return nine;
}

function row(name: string, measured: readonly Measured[]): string[] {
  return [name, figure(median(measured.map(({ rate }) => rate))), figure(median(measured.map(({ p99Ms }) => p99Ms)))];
}
