/** Whether validation works, at a glance. */
import { useMemo, useState } from 'preact/hooks';
import { Chart } from './chart.tsx';
import { Destinations, Listeners, Profiles, Threads } from './gateway.tsx';
import { KINDS, type Kind, type Sample } from './history.ts';
import type { Live } from './live.ts';
import { Empty } from './parts.tsx';
import type { Line } from './plot.ts';
import { Offenders, Servers } from './servers.tsx';
import { Tiles } from './tiles.tsx';
import { rate, share, span, took } from './words.ts';

const WINDOWS = [
  { seconds: 300, name: '5 minutes' },
  { seconds: 900, name: '15 minutes' },
  { seconds: 3_600, name: '1 hour' },
] as const;

/** Lines that have no colour are told apart by these. */
const DASHES: Readonly<Record<Kind, readonly number[]>> = {
  valid: [],
  unknown: [8, 4],
  refused: [2, 3],
  temporary: [12, 3, 2, 3],
  failed: [5, 2],
};

export function Overview({ live: { status, samples, link } }: Readonly<{ live: Live }>) {
  const [windowSeconds, setWindowSeconds] = useState<number>(WINDOWS[0].seconds);
  if (status === null) {
    return link.kind === 'lost' ? null : <Empty title="Waiting for the gateway’s first figures" />;
  }
  return (
    <>
      <div class="row">
        <p class="muted">
          Version {status.version}, up for {span(status.uptimeSeconds)}
        </p>
        <WindowChoice value={windowSeconds} onChange={setWindowSeconds} />
      </div>
      <Tiles status={status} samples={samples} />
      <Charts samples={samples} windowSeconds={windowSeconds} />
      <Profiles status={status} />
      <Servers status={status} />
      <Destinations status={status} />
      <div class="columns">
        <Offenders status={status} />
        <Listeners status={status} />
        <Threads status={status} />
      </div>
    </>
  );
}

function WindowChoice({ value, onChange }: Readonly<{ value: number; onChange: (seconds: number) => void }>) {
  return (
    <fieldset class="segments">
      <legend class="unseen">How much the charts show</legend>
      {WINDOWS.map(({ seconds, name }) => (
        <label key={seconds}>
          <input type="radio" name="window" checked={seconds === value} onChange={() => onChange(seconds)} />
          <span>{name}</span>
        </label>
      ))}
    </fieldset>
  );
}

function Charts({ samples, windowSeconds }: Readonly<{ samples: readonly Sample[]; windowSeconds: number }>) {
  const { times, verdicts, latency, hits, traffic } = useMemo(
    () => columnsOf(samples, windowSeconds),
    [samples, windowSeconds],
  );
  const frame = { times, windowSeconds };
  return (
    <div class="charts">
      <Chart title="Verdicts" unit="per second" lines={verdicts} format={rate} {...frame} />
      <Chart
        title="Time to a verdict"
        unit="as the sender waits"
        lines={latency}
        format={took}
        leastTop={0.01}
        {...frame}
      />
      <Chart title="Answered from the cache" unit="share of verdicts" lines={hits} format={share} top={1} {...frame} />
      <Chart title="Sessions and messages" unit="open, and per second" lines={traffic} format={rate} {...frame} />
    </div>
  );
}

function columnsOf(samples: readonly Sample[], windowSeconds: number) {
  const from = (samples.at(-1)?.atSeconds ?? 0) - windowSeconds;
  const shown = samples.filter(({ atSeconds }) => atSeconds >= from);
  const line = (
    name: string,
    color: string,
    dash: readonly number[],
    pick: (sample: Sample) => number | null,
  ): Line => ({
    name,
    color,
    dash,
    isFilled: dash.length === 0,
    values: shown.map(pick),
  });
  return {
    times: shown.map(({ atSeconds }) => atSeconds),
    verdicts: KINDS.map((kind) => line(kind, `--${kind}`, DASHES[kind], ({ rates }) => rates?.[kind] ?? null)),
    latency: [
      line('median', '--accent', [], ({ p50 }) => p50),
      line('95 %', '--unknown', [8, 4], ({ p95 }) => p95),
      line('99 %', '--failed', [2, 3], ({ p99 }) => p99),
    ],
    hits: [line('from the cache', '--accent', [], ({ hitRatio }) => hitRatio)],
    traffic: [
      line('open sessions', '--accent', [], ({ sessions }) => sessions),
      line('messages', '--temporary', [8, 4], ({ messages }) => messages),
    ],
  };
}
