/** Six figures that say how it goes, each with its last minutes. */
import type { Status } from './contract.ts';
import { KINDS, type Sample } from './history.ts';
import { bytes, count, NOTHING, plural, rate, share, took } from './words.ts';

type Tile = Readonly<{ name: string; value: string; detail: string; trend: readonly (number | null)[] }>;

/** As many points as a trend has; a second each. */
const TREND = 120;
const WIDTH = 120;
const HEIGHT = 28;

export function Tiles({ status, samples }: Readonly<{ status: Status; samples: readonly Sample[] }>) {
  return (
    <dl class="tiles">
      {tilesOf(status, samples).map(({ name, value, detail, trend }) => (
        <div class="tile" key={name}>
          <dt>{name}</dt>
          <dd class="figure">{value}</dd>
          <dd class="muted">{detail}</dd>
          <Trend values={trend} />
        </div>
      ))}
    </dl>
  );
}

function tilesOf(status: Status, samples: readonly Sample[]): readonly Tile[] {
  const recent = samples.slice(-TREND);
  const last = recent.at(-1);
  const total = (kinds: readonly (typeof KINDS)[number][]): number =>
    status.profiles.reduce((all, { verdicts }) => all + kinds.reduce((sum, kind) => sum + verdicts[kind], 0), 0);
  const all = total(KINDS);
  const negative = total(['unknown', 'refused']);
  const sumOf = ({ rates }: Sample): number | null =>
    rates === null ? null : KINDS.reduce((sum, kind) => sum + rates[kind], 0);
  const { relayed, bytes: relayedBytes } = status.messages;
  return [
    {
      name: 'Verdicts a second',
      value: rate(last === undefined ? null : sumOf(last)),
      detail: `${count(all)} since the start`,
      trend: recent.map(sumOf),
    },
    {
      name: 'No such recipient',
      value: all === 0 ? NOTHING : share(negative / all),
      detail: `${count(negative)} since the start`,
      trend: recent.map(({ rates }) => (rates === null ? null : rates.unknown + rates.refused)),
    },
    {
      name: 'Time, 95 %',
      value: took(last?.p95 ?? null),
      detail: `median ${took(last?.p50 ?? null)}`,
      trend: recent.map(({ p95 }) => p95),
    },
    {
      name: 'From the cache',
      value: share(last?.hitRatio ?? overall(status)),
      detail: `${plural(
        status.profiles.reduce((sum, { cache }) => sum + cache.positive + cache.negative, 0),
        'answer',
      )} kept`,
      trend: recent.map(({ hitRatio }) => hitRatio),
    },
    {
      name: 'Open sessions',
      value: count(status.listeners.reduce((sum, { sessions }) => sum + sessions, 0)),
      detail: `${count(status.listeners.reduce((sum, { sessionsTotal }) => sum + sessionsTotal, 0))} since the start`,
      trend: recent.map(({ sessions }) => sessions),
    },
    {
      name: 'Messages',
      value: count(relayed),
      detail: `${bytes(relayedBytes)}, ${count(status.messages.refused)} refused`,
      trend: recent.map(({ messages }) => messages),
    },
  ];
}

function overall({ profiles }: Status): number | null {
  const answers = profiles.reduce(
    (all, { sources }) => all + Object.values(sources).reduce((sum, one) => sum + one, 0),
    0,
  );
  const hits = profiles.reduce((all, { sources }) => all + sources.cache + sources.shared, 0);
  return answers === 0 ? null : hits / answers;
}

function Trend({ values }: Readonly<{ values: readonly (number | null)[] }>) {
  return (
    <svg
      class="trend"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
      focusable="false"
    >
      <path d={trendPath(values)} vector-effect="non-scaling-stroke" />
    </svg>
  );
}

/** Ends at the right; from zero to the largest value. */
function trendPath(values: readonly (number | null)[]): string {
  const most = values.reduce<number>((max, value) => Math.max(max, value ?? 0), 0);
  const step = WIDTH / (TREND - 1);
  const start = TREND - values.length;
  let path = '';
  let isDrawing = false;
  for (const [place, value] of values.entries()) {
    if (value === null) {
      isDrawing = false;
      continue;
    }
    const x = ((start + place) * step).toFixed(1);
    const y = (HEIGHT - 1 - (most === 0 ? 0 : (value / most) * (HEIGHT - 3))).toFixed(1);
    path += `${isDrawing ? 'L' : 'M'}${x} ${y}`;
    isDrawing = true;
  }
  return path;
}
