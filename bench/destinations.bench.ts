/** What does a recipient cost when the same load goes to 1, 100 or 10,000 destinations? (90 s) */
import { startGateway } from './peers/gateway.ts';
import { answer } from './support/answer.ts';
import { measure, startProgram } from './support/children.ts';
import { readOptions } from './support/options.ts';
import { figure } from './support/statistics.ts';
import { table } from './support/table.ts';

const COUNTS = [1, 10, 100, 1_000, 10_000];
const WARM_SECONDS = 2;
/** No machine takes longer to connect to all of them. */
const CONNECTED_A_SECOND = 700;
const seconds = readOptions().seconds ?? 4;

const sink = await startProgram('sink', 'any');
const rows: string[][] = [];
for (const count of COUNTS) rows.push(await row(count));
await sink.stop();
answer(
  'destinations',
  [
    table(['destinations', 'RCPT/s', 'p99, ms', 'CPU, µs a recipient', 'memory, MB'], rows),
    'Never-seen recipients. Each destination is a server of its own to the gateway, with its own connection, and gets its share of every session.',
  ].join('\n\n'),
);

async function row(count: number): Promise<string[]> {
  const routes = Array.from({ length: count }, (_, n) => [`d${n}.example.com`, `${addressOf(n)}:${sink.port}`]);
  const gateway = await startGateway({
    sinkPort: 0,
    // Each keeps its connection: what is measured is how many there are, not how they are made.
    profile: { serverType: 'delivery-host', servers: undefined, sessionIdle: '60s' },
    sections: { smtpRoutes: Object.fromEntries(routes) },
  });
  const options = { domains: { first: 0, count }, distinct: null, sessions: 20 };
  await measure(gateway, { ...options, prefix: 'warm', seconds: WARM_SECONDS + count / CONNECTED_A_SECOND });
  const { rate, p99Ms, cpuUs, megabytes } = await measure(gateway, { ...options, prefix: 'new', seconds });
  await gateway.stop();
  return [figure(count), figure(rate), figure(p99Ms), figure(cpuUs), figure(megabytes)];
}

/** All of 127/8 is this machine. */
function addressOf(n: number): string {
  return `127.1.${Math.floor(n / 250)}.${1 + (n % 250)}`;
}
