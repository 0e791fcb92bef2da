/** A chart with its key, and the same in words for those who do not see it. */
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type uPlot from 'uplot';
import { dataOf, type Line, openPlot } from './plot.ts';
import { useScheme } from './scheme.tsx';
import { clock, NOTHING } from './words.ts';

export type ChartProps = Readonly<{
  title: string;
  /** What the values are: `per second`. */
  unit: string;
  times: readonly number[];
  lines: readonly Line[];
  windowSeconds: number;
  format: (value: number) => string;
  top?: number;
  leastTop?: number;
}>;

const HEIGHT = 210;

export function Chart({ title, unit, times, lines, windowSeconds, format, top, leastTop }: ChartProps) {
  const id = useId();
  const [pointed, setPointed] = useState<number | null>(null);
  const canvas = usePlot({
    times,
    lines,
    windowSeconds,
    format,
    top: top ?? null,
    leastTop: leastTop ?? 1,
    onPoint: setPointed,
  });
  const place = pointed === null || pointed >= times.length ? times.length - 1 : pointed;
  const at = times[place];
  const shown = (value: number | null | undefined): string =>
    value === null || value === undefined ? NOTHING : format(value);
  return (
    <figure class="card chart" aria-labelledby={id}>
      <figcaption class="card-head">
        <h2 id={id}>{title}</h2>
        <span class="muted">
          {unit}
          {pointed === null || at === undefined ? '' : ` at ${clock(at)}`}
        </span>
      </figcaption>
      <ul class="key">
        {lines.map(({ name, color, dash, values }) => (
          <li key={name}>
            <svg width="22" height="8" aria-hidden="true" focusable="false">
              <line
                class={`stroke${color}`}
                x1="1"
                y1="4"
                x2="21"
                y2="4"
                stroke-width="2.500"
                stroke-dasharray={dash.join(' ')}
              />
            </svg>
            {name} <b>{shown(values[place])}</b>
          </li>
        ))}
      </ul>
      <div class="plot" ref={canvas} role="img" aria-label={`${title}, ${unit}: a line chart. Its figures follow.`} />
      <Figures title={title} lines={lines} shown={shown} />
    </figure>
  );
}

/** The chart's text: what each line is now, on average and at most. */
function Figures({
  title,
  lines,
  shown,
}: Readonly<{ title: string; lines: readonly Line[]; shown: (value: number | null | undefined) => string }>) {
  return (
    <details class="figures">
      <summary>
        Figures<span class="unseen"> of {title}</span>
      </summary>
      <table>
        <caption class="unseen">{title}, in figures</caption>
        <thead>
          <tr>
            <th scope="col">Line</th>
            <th scope="col">Now</th>
            <th scope="col">Average</th>
            <th scope="col">Most</th>
          </tr>
        </thead>
        <tbody>
          {lines.map(({ name, values }) => {
            const known = values.filter((value) => value !== null);
            const sum = known.reduce((all, value) => all + value, 0);
            return (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{shown(values.at(-1))}</td>
                <td>{shown(known.length === 0 ? null : sum / known.length)}</td>
                <td>{shown(known.length === 0 ? null : known.reduce((most, value) => Math.max(most, value), 0))}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </details>
  );
}

type PlotInput = Omit<Parameters<typeof openPlot>[1], 'height'>;

/** Draws into the element, anew where the colours or the lines are others; new values only move it. */
function usePlot(input: PlotInput) {
  const element = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const newest = useRef(input);
  newest.current = input;
  const { shown } = useScheme();
  const names = input.lines.map(({ name }) => name).join();

  // The colours are read from the style of the scheme
  useEffect(() => {
    const own = element.current;
    if (own === null) return;
    // The scales are read from what is newest then.
    const opened = openPlot(own, {
      ...newest.current,
      get times() {
        return newest.current.times;
      },
      get windowSeconds() {
        return newest.current.windowSeconds;
      },
      height: HEIGHT,
    });
    plot.current = opened;
    const resized = new ResizeObserver(() => opened.setSize({ width: Math.max(200, own.clientWidth), height: HEIGHT }));
    resized.observe(own);
    return () => {
      resized.disconnect();
      opened.destroy();
    };
  }, [shown, names]);

  useEffect(() => {
    plot.current?.setData(dataOf(input));
  }, [input.times, input.lines, input.windowSeconds, shown]);
  return element;
}
