/** What becomes of goodput, of those who are told to come back later, and of memory at twice and five times what the servers can answer? (130 s) */
import { type GatewayOptions, startGateway } from './peers/gateway.ts';
import { answer } from './support/answer.ts';
import { type LoadOptions, type Measured, measure, startProgram } from './support/children.ts';
import { readOptions } from './support/options.ts';
import { figure } from './support/statistics.ts';
import { table } from './support/table.ts';

/** Five connections have a transaction of 20 each, and wait so long for its answers: 2,000 a second, whatever the machine does. */
const ONE_MS = 50;
/** Ten such servers that are ten times as far away. */
const DESTINATIONS = 10;
const TEN_MS = ONE_MS * DESTINATIONS;
/** Sessions of 100 recipients in a second: so many as can be answered. */
const SESSIONS = 20;
/** Sessions that may be open in the generator: more than ever wait. */
const MOST_OPEN = 3_000;
/** It is the same again so long after the load is. */
const SETTLE_SECONDS = 5;
const seconds = readOptions().seconds ?? 6;
const profile = {
  maxRecipientsPerTransaction: 20,
  validationTimeout: '10s',
  // A cache that grows is not what is looked for.
  cacheSize: 10_000,
  // Nor are connections that are renewed: with servers half a second away all of them would be in one window, for two seconds each.
  maxRecipientsPerSession: 25_000,
  onValidationFailure: { code: 451, text: '4.4.3 Try again later' },
};

const one = await startProgram('sink', String(ONE_MS));
const ten = await startProgram('sink', 'any', String(TEN_MS));
const rows = [
  ...(await offer('one destination', {}, { sinkPort: one.port, profile })),
  ...(await offer(
    'ten destinations',
    { domains: { first: 0, count: DESTINATIONS } },
    {
      sinkPort: 0,
      profile: { ...profile, serverType: 'delivery-host', servers: undefined },
      // All together may have what they can answer in two seconds.
      sections: { engine: { maxPending: 2 * SESSIONS * 100 }, smtpRoutes: Object.fromEntries(routes()) },
    },
  )),
];
await one.stop();
await ten.stop();
answer(
  'overload',
  [
    table(
      [
        'offered',
        'accepted, RCPT/s',
        'of peak',
        'p99, ms',
        'deferred, RCPT/s',
        'sessions turned away a second',
        'told so within, p99, ms',
        'MB',
      ],
      rows,
    ),
    'Wanted: at least 90 % of peak at every load, at most 100 ms until a client is told to come back later, memory that stays, and the peak again 5 s after the load is. Sessions come at a steady rate, whatever becomes of them.',
  ].join('\n\n'),
);

async function offer(name: string, load: Partial<LoadOptions>, options: GatewayOptions): Promise<string[][]> {
  // Else memory is what the collector has not looked at yet.
  const nodeOptions = ['--max-semi-space-size=8', '--max-old-space-size=192'];
  const gateway = await startGateway({ ...options, nodeOptions });
  const fixed = { ...load, distinct: null, seconds };
  const peak = await measure(gateway, { ...fixed, prefix: 'warm', sessions: 2 * SESSIONS, rampSeconds: 3 });
  const rows: string[][] = [];
  for (const [round, times] of [1, 2, 5, 1].entries()) {
    const measured = await measure(gateway, {
      ...fixed,
      prefix: `x${round}n`,
      sessions: MOST_OPEN,
      arrivals: times * SESSIONS,
      rampSeconds: SETTLE_SECONDS,
    });
    rows.push(row(`${name}, ${times} × capacity${round === 3 ? ' again' : ''}`, measured, peak));
  }
  await gateway.stop();
  return rows;
}

function row(name: string, measured: Measured, peak: Measured): string[] {
  const { rate, p99Ms, deferred, turnedAway, turnedAwayP99Ms, megabytes } = measured;
  return [
    name,
    figure(rate),
    `${((100 * rate) / peak.rate).toFixed(0)} %`,
    figure(p99Ms),
    figure(deferred / measured.seconds),
    figure(turnedAway / measured.seconds),
    figure(turnedAwayP99Ms),
    figure(megabytes),
  ];
}

function routes(): readonly (readonly [string, string])[] {
  return Array.from({ length: DESTINATIONS }, (_, n) => [`d${n}.example.com`, `127.1.0.${n + 1}:${ten.port}`]);
}
