/** Makes tables and a chart of what the bench of recipients measured. */
import { chart, type Panel } from './chart.ts';
import type { Measured } from './children.ts';
import { figure, median } from './statistics.ts';
import { table } from './table.ts';

/** What is sent: so many recipients a session, in one write or one after the other. */
export type Cell = Readonly<{ recipients: number; pipelined: boolean }>;

/** What one contender did in one cell, round by round: all have the same rounds in the same order. */
export type Figures = ReadonlyMap<string, ReadonlyMap<Cell, readonly Measured[]>>;

export const CELLS: readonly Cell[] = [
  { recipients: 100, pipelined: true },
  { recipients: 5, pipelined: true },
  { recipients: 100, pipelined: false },
  { recipients: 5, pipelined: false },
];

/** The contender that all others are compared to. */
export const BASE = 'smtp-server alone';

/** Which contender has to reach what times `BASE`, pipelined. */
const TARGETS = [
  { contender: 'callahead, cached', recipients: 100, least: 2.0, better: 3.0 },
  { contender: 'callahead, never seen', recipients: 100, least: 2.0, better: 2.5 },
  { contender: 'callahead, cached', recipients: 5, least: 1.2, better: 1.5 },
] as const;

export function report(figures: Figures): string {
  const names = [...figures.keys()];
  const heads = CELLS.map(describeCell);
  const rows = (cell: (name: string, cell: Cell) => string[]): string[][] =>
    names.map((name) => [name, ...CELLS.flatMap((each) => cell(name, each))]);
  const one = (pick: (measured: Measured) => number) => (name: string, cell: Cell) => [
    figure(median(of(figures, name, cell).map(pick))),
  ];
  return [
    'Recipients a second, and how many times that is what smtp-server alone makes:',
    table(
      ['', ...heads.flatMap((head) => [head, '×'])],
      rows((name, cell) => [...one((each) => each.rate)(name, cell), ratio(figures, name, cell).toFixed(2)]),
    ),
    'Latency under that load in ms, p50 / p99, from the write of a command (pipelined: of all) to its reply:',
    table(
      ['', ...heads],
      rows((name, cell) => [`${one((each) => each.p50Ms)(name, cell)} / ${one((each) => each.p99Ms)(name, cell)}`]),
    ),
    'CPU in µs a recipient, all processes of the server, without those of the mail server behind it:',
    table(['', ...heads], rows(one((each) => each.cpuUs))),
    'Memory in MB under that load, all processes of the server, shared pages once:',
    table(['', ...heads], rows(one((each) => each.megabytes))),
    'How busy the load generator was, in cores:',
    table(['', ...heads], rows(one((each) => each.cpuSeconds / each.seconds))),
    'Targets, pipelined, in times smtp-server alone:',
    table(
      ['', 'target', 'better', 'measured', 'reached'],
      TARGETS.map((target) => reached(figures, target)),
    ),
  ].join('\n\n');
}

export function draw(figures: Figures, note: string): string {
  const panels = CELLS.filter(({ pipelined }) => pipelined).map(
    (cell): Panel => ({
      title: describeCell(cell),
      bars: [...figures.keys()].map((label) => ({
        label,
        value: median(of(figures, label, cell).map(({ rate }) => rate)),
        ours: label.startsWith('callahead'),
      })),
    }),
  );
  return chart('Recipients a second', note, panels);
}

export function describeCell({ recipients, pipelined }: Cell): string {
  return `${recipients} a session, ${pipelined ? 'pipelined' : 'serial'}`;
}

function reached(figures: Figures, { contender, recipients, least, better }: (typeof TARGETS)[number]): string[] {
  const cell = CELLS.find((each) => each.pipelined && each.recipients === recipients);
  const measured = cell === undefined ? Number.NaN : ratio(figures, contender, cell);
  return [
    `${contender}, ${recipients} a session`,
    `≥ ${least.toFixed(1)}`,
    better.toFixed(1),
    measured.toFixed(2),
    measured >= least ? 'yes' : 'no',
  ];
}

/** Taken within each round, in which both met the same machine; for who was met once, against the median. */
function ratio(figures: Figures, name: string, cell: Cell): number {
  const rates = of(figures, name, cell).map(({ rate }) => rate);
  const base = of(figures, BASE, cell).map(({ rate }) => rate);
  if (rates.length < base.length) return median(rates) / median(base);
  return median(rates.map((rate, round) => rate / (base[round] ?? Number.NaN)));
}

function of(figures: Figures, name: string, cell: Cell): readonly Measured[] {
  return figures.get(name)?.get(cell) ?? [];
}
