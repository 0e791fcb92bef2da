/** How long does a never-seen recipient wait, alone and among 100 pipelined ones, when the server answers after 0, 5 and 50 ms? (60 s) */
import { startGateway } from './peers/gateway.ts';
import { answer } from './support/answer.ts';
import { measure, startProgram } from './support/children.ts';
import { readOptions } from './support/options.ts';
import { figure } from './support/statistics.ts';
import { table } from './support/table.ts';

const seconds = readOptions().seconds ?? 5;

const rows: string[][] = [];
for (const delayMs of [0, 5, 50]) rows.push(await row(delayMs));
answer(
  'latency',
  [
    table(
      ['the server answers after', 'ideal', 'alone: p50, ms', 'wanted', 'the last of 100: p50, ms', 'wanted'],
      rows,
    ),
    'One client, its session and those to the server are open. The ideal is what the client sees when it asks the server itself.',
  ].join('\n\n'),
);

async function row(delayMs: number): Promise<string[]> {
  const sink = await startProgram('sink', String(delayMs));
  const gateway = await startGateway({ sinkPort: sink.port });
  // Asked itself, the server takes a little longer than it pauses.
  const ideal = await measure(sink, { sessions: 1, recipients: 500, pipelined: false, seconds });
  const one = { sessions: 1, distinct: null, rampSeconds: 1, seconds };
  await measure(gateway, { ...one, prefix: 'warm' });
  const alone = await measure(gateway, { ...one, recipients: 500, pipelined: false, prefix: 'one' });
  const burst = await measure(gateway, { ...one, recipients: 100, pipelined: true, prefix: 'all' });
  await gateway.stop();
  await sink.stop();
  return [
    `${delayMs} ms`,
    figure(ideal.p50Ms),
    figure(alone.p50Ms),
    `≤ ${figure(ideal.p50Ms + 1)}`,
    figure(burst.lastP50Ms),
    `≤ ${figure(2 * ideal.p50Ms + 20)}`,
  ];
}
