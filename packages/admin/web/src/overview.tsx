/** Whether validation works, at a glance. */
import { useMemo, useState } from 'preact/hooks';
import { Chart } from './chart.tsx';
import type { Status } from './contract.ts';
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
      <Servers status={status} />
      <div class="columns">
        <Offenders status={status} />
        <Listeners status={status} />
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

function Listeners({ status: { listeners } }: Readonly<{ status: Status }>) {
  return (
    <section class="card" aria-labelledby="listeners">
      <header class="card-head">
        <h2 id="listeners">Listeners</h2>
      </header>
      <div class="scroller">
        <table class="stacking">
          <caption class="unseen">Listeners with their sockets and sessions</caption>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Listens on</th>
              <th scope="col">Profile</th>
              <th scope="col" class="number">
                Open
              </th>
              <th scope="col" class="number">
                Sessions
              </th>
            </tr>
          </thead>
          <tbody>
            {listeners.map(({ name, sockets, profile, sessions, sessionsTotal }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td data-label="Listens on">
                  <span class="mono">{sockets.join(' ')}</span>
                </td>
                <td data-label="Profile">{profile ?? 'no call-ahead'}</td>
                <td data-label="Open" class="number">
                  {sessions}
                </td>
                <td data-label="Sessions" class="number">
                  {sessionsTotal}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
