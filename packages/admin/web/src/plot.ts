/** uPlot, which draws on a canvas, in the page's own colours. */
import uPlot from 'uplot';
import { clock } from './words.ts';

/** `color`: the custom property that has it. `dash` tells lines apart for those who see no colours. */
export type Line = Readonly<{
  name: string;
  color: string;
  dash: readonly number[];
  isFilled?: boolean;
  values: readonly (number | null)[];
}>;

export type PlotOptions = Readonly<{
  lines: readonly Line[];
  times: readonly number[];
  windowSeconds: number;
  height: number;
  format: (value: number) => string;
  /** The top of the scale, where the values have one. */
  top: number | null;
  /** The lowest top of a scale that grows: noise around nothing should look like nothing. */
  leastTop: number;
  /** The place that is pointed at; null: none. */
  onPoint: (place: number | null) => void;
}>;

const LEAST_WINDOW_SECONDS = 60;
const AXIS_WIDTH = 58;

export function openPlot(element: HTMLElement, options: PlotOptions): uPlot {
  const styles = getComputedStyle(document.documentElement);
  const color = (name: string): string => styles.getPropertyValue(name).trim();
  const font = `12px ${styles.getPropertyValue('--font').trim()}`;
  const axis = {
    stroke: color('--muted'),
    font,
    grid: { stroke: color('--line'), width: 1 },
    ticks: { show: false },
  };
  return new uPlot(
    {
      width: Math.max(200, element.clientWidth),
      height: options.height,
      legend: { show: false },
      cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false }, sync: { key: 'console' } },
      scales: {
        x: { range: () => rangeOf(options.times, options.windowSeconds) },
        y: { range: (_, __, most) => [0, options.top ?? Math.max(options.leastTop, most * 1.12)] },
      },
      axes: [
        {
          ...axis,
          space: 70,
          values: (_, ticks, __, ___, step) => ticks.map((tick) => clock(tick).slice(0, step < 60 ? 8 : 5)),
          size: 28,
          incrs: [15, 30, 60, 120, 300, 600, 1_200],
        },
        { ...axis, size: AXIS_WIDTH, space: 38, values: (_, ticks) => ticks.map(options.format) },
      ],
      series: [
        {},
        ...options.lines.map((line) => ({
          label: line.name,
          stroke: color(line.color),
          width: 2,
          dash: [...line.dash],
          points: { show: false },
          ...(line.isFilled === true ? { fill: `${color(line.color)}1f` } : {}),
        })),
      ],
      hooks: { setCursor: [(plot) => options.onPoint(plot.cursor.idx ?? null)] },
    },
    dataOf(options),
    element,
  );
}

export function dataOf({ times, lines }: Pick<PlotOptions, 'times' | 'lines'>): uPlot.AlignedData {
  return [[...times], ...lines.map(({ values }) => [...values])];
}

/** Ends with the newest point, and grows with the first ones. */
function rangeOf(times: readonly number[], windowSeconds: number): [number, number] {
  const end = times.at(-1) ?? 0;
  const known = end - (times[0] ?? end);
  return [end - Math.min(windowSeconds, Math.max(LEAST_WINDOW_SECONDS, known)), end];
}
