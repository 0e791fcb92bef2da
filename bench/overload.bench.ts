/** What becomes of goodput, of those who are told to come back later, and of memory at twice and five times what the servers can answer? (60 s) */
import { type GatewayPeer, startGateway } from './peers/gateway.ts';
import { answer } from './support/answer.ts';
import { type Measured, measure, startProgram } from './support/children.ts';
import { readOptions } from './support/options.ts';
import { figure } from './support/statistics.ts';
import { table } from './support/table.ts';

/** The server answers each read after so long, five connections have a transaction of 20 each: 2,000 a second, whatever the machine does. */
const SERVER_MS = 50;
/** So many sessions of 100 recipients wait a second for their answers at most. */
const SESSIONS = 20;
const seconds = readOptions().seconds ?? 6;

const sink = await startProgram('sink', String(SERVER_MS));
const gateway = await startGateway({
  sinkPort: sink.port,
  profile: { maxRecipientsPerTransaction: 20, onValidationFailure: { code: 451, text: '4.4.3 Try again later' } },
  sections: { engine: { threads: 1, maxPending: 3 * SESSIONS * 100 } },
});
const rows: string[][] = [];
const peak = await offer(gateway, 'warm', 1);
for (const times of [1, 2, 5]) rows.push(row(`${times} × capacity`, await offer(gateway, `x${times}n`, times)));
rows.push(row('1 × again, at once', await offer(gateway, 'again', 1)));
await gateway.stop();
await sink.stop();
answer(
  'overload',
  [
    table(
      ['offered', 'accepted, RCPT/s', 'of peak', 'deferred, RCPT/s', 'sessions turned away a second', 'p99, ms', 'MB'],
      rows,
    ),
    'Wanted: at least 90 % of peak at every load, at most 100 ms until a client is turned away, memory that stays, and the peak again once the load is.',
  ].join('\n\n'),
);

function offer(peer: GatewayPeer, prefix: string, times: number): Promise<Measured> {
  return measure(peer, { prefix, distinct: null, sessions: times * SESSIONS, seconds, rampSeconds: 1 });
}

function row(name: string, measured: Measured): string[] {
  const { rate, deferred, turnedAway, turnedAwayP99Ms, megabytes } = measured;
  return [
    name,
    figure(rate),
    `${((100 * rate) / peak.rate).toFixed(0)} %`,
    figure(deferred / measured.seconds),
    figure(turnedAway / measured.seconds),
    figure(turnedAwayP99Ms),
    figure(megabytes),
  ];
}
