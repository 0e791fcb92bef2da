/** A thread dies with 10,000 recipients in flight: who gets a verdict, how late, and how soon is there another thread? (60 s) */
import { createEngine, parseRecipient, type Route, staticRoute, type Verdict } from '@callahead/workers';
import { answer } from './support/answer.ts';
import { startProgram } from './support/children.ts';
import { createHistogram } from './support/histogram.ts';
import { figure } from './support/statistics.ts';
import { table } from './support/table.ts';

const IN_FLIGHT = 10_000;
const BUDGET_MS = 30_000;
/** The server answers each read so late: all 10,000 take two seconds, of which the thread lives one half. */
const SERVER_MS = 100;
const LIFE_MS = 500;
const DEATHS = ['throw', 'exit', 'loop'] as const;

type Death = (typeof DEATHS)[number];

const sink = await startProgram('sink', String(SERVER_MS));
const rows: string[][] = [];
for (const death of DEATHS) rows.push(await row(death));
await sink.stop();
answer(
  'supervision',
  [
    table(
      [
        'it dies by',
        'answered in time',
        'by a real verdict',
        'the last after, ms',
        'noticed after, ms',
        'the next verdict after that, ms',
      ],
      rows,
    ),
    `Each recipient has ${BUDGET_MS / 1_000} s. Wanted: all of them answered in time, 99 % by a real verdict, another thread that answers within a second.`,
  ].join('\n\n'),
);

async function row(death: Death): Promise<string[]> {
  const { promise: replaced, resolve: onReplaced } = Promise.withResolvers<number>();
  const engine = createEngine({
    settings: { threads: 1, maxPending: 4 * IN_FLIGHT },
    threadFile: new URL('./programs/mortal-thread.ts', import.meta.url),
    emit: (event) => {
      if (event.event === 'thread.replaced') onReplaced(performance.now());
    },
  });
  await engine.up();
  const route = staticRoute({
    heloName: 'gateway.example',
    servers: [{ host: '127.0.0.1', port: sink.port }],
    probe: { cacheSize: 4 * IN_FLIGHT },
  });
  const startMs = performance.now();
  let firstAgainMs = Number.NaN;
  let dead = false;
  const lateMs = createHistogram();
  const asked = Array.from({ length: IN_FLIGHT }, async (_, n) => {
    const verdict = await validate(n, route);
    lateMs.add(performance.now() - startMs);
    if (dead && Number.isNaN(firstAgainMs)) firstAgainMs = performance.now();
    return verdict;
  });
  const doom = new BroadcastChannel('doom');
  await new Promise((resolve) => setTimeout(resolve, LIFE_MS));
  const doomedMs = performance.now();
  doom.postMessage(death);
  const replacedMs = await replaced;
  dead = true;
  const verdicts = await Promise.all(asked);
  doom.close();
  await engine.close(1_000);
  const real = verdicts.filter(({ kind }) => kind !== 'failed').length;
  return [
    death,
    percent(verdicts.length),
    percent(real),
    figure(lateMs.quantile(1)),
    figure(replacedMs - doomedMs),
    figure(firstAgainMs - replacedMs),
  ];

  function validate(n: number, to: Route): Promise<Verdict> {
    const parsed = parseRecipient(`u${n}@example.com`, { smtpUtf8: false });
    if (parsed.kind !== 'ok') throw new Error('no address');
    const { recipient } = parsed;
    return engine.validate({ recipient, route: to, deadlineMs: performance.now() + BUDGET_MS, recorder: null });
  }
}

function percent(count: number): string {
  return `${((100 * count) / IN_FLIGHT).toFixed(2)} %`;
}
