/** What `top` shows, as lines of text: pure, so that a test can read it. */
import { oneLine } from '@callahead/core';
import type { Tone } from '../tone.ts';
import { count, time } from '../words.ts';
import { type Percentiles, type Rates, ratesOf, sum } from './rates.ts';
import type { ServerState, Snapshot } from './snapshot.ts';

/** One line, in pieces of one tone each. */
export type Row = readonly (readonly [Tone, string])[];

export const SORTS = ['rate', 'state', 'name'] as const;
export type Sort = (typeof SORTS)[number];

export type View = Readonly<{
  now: Snapshot;
  /** What rates are counted from; null: from the start of the gateway. */
  before: Snapshot | null;
  sort: Sort;
  /** What is said of the view itself, such as that it is paused; empty: nothing. */
  notice: string;
}>;

type Size = Readonly<{ columns: number; rows: number }>;

/** At least so many rows of each table are shown, as long as there is room for anything. */
const FEWEST = 3;
const MOST_OFFENDERS = 5;

/** As many lines as there is room for, none longer than there are columns. */
export function frame(view: View, size: Size): Row[] {
  const rates = ratesOf(view.now, view.before);
  const head = headRows(view, rates);
  const offenders = offenderRows(view.now).slice(0, MOST_OFFENDERS + 1);
  const profiles = profileRows(view.now, rates);
  const servers = serverRows(view, rates);
  const gaps = [profiles, servers, offenders].filter((rows) => rows.length > 0).length;
  const room = Math.max(0, size.rows - head.length - gaps - offenders.length);
  const forProfiles = Math.max(FEWEST, Math.min(profiles.length, room - FEWEST, Math.ceil(room / 2)));
  const shown = [head, atMost(profiles, forProfiles), atMost(servers, Math.max(FEWEST, room - forProfiles)), offenders];
  const rows = shown.filter((each) => each.length > 0).flatMap((each, i) => (i === 0 ? each : [[], ...each]));
  return rows.slice(0, size.rows).map((row) => cut(row, size.columns));
}

function headRows({ now, before, notice }: View, rates: Rates): Row[] {
  const of = now.profiles.map((profile) => rates.profile(profile));
  const all = (kind: keyof (typeof of)[number]['verdicts']): number =>
    of.reduce((sum, one) => sum + one.verdicts[kind], 0);
  const sessions = now.listeners.reduce((all, listener) => all + listener.sessions, 0);
  const lag = Math.max(0, ...now.threads.map(({ lagSeconds }) => lagSeconds));
  const tone = now.state === 'ready' ? 'good' : 'bad';
  const since = before === null ? 'since the start' : 'a second';
  const rate = (name: string, value: number, bad: Tone): Row[number][] => [
    ['plain', `  ${name} `],
    [value > 0 ? bad : 'plain', decimal(value)],
  ];
  return [
    [
      ['strong', `callahead ${text(now.hostname)}`],
      ['faint', ` ${text(now.version)}`],
      [tone, `  ${text(now.state)}`],
      ['plain', `  up ${time(now.uptimeSeconds * 1_000)}  ${count(sessions)} sessions`],
      ['unsure', notice === '' ? '' : `  ${text(notice)}`],
    ],
    [
      ['strong', `${decimal(of.reduce((sum, { total }) => sum + total, 0))} recipients a second`],
      ['faint', before === null ? ` (${since})` : ''],
      ...rate('valid', all('valid'), 'good'),
      ...rate('unknown', all('unknown'), 'plain'),
      ...rate('refused', all('refused'), 'plain'),
      ...rate('temporary', all('temporary'), 'unsure'),
      ...rate('failed', all('failed'), 'bad'),
    ],
    [
      [
        'plain',
        `asking ${count(now.engine.asking)}  waiting ${count(now.engine.waiting)}  destinations ${count(now.engine.destinations)}`,
      ],
      ['plain', `  relayed ${count(now.messages.relayed)}  refused ${count(now.messages.refused)}`],
      ['plain', `  blocked ${count(now.dhap.crossings)}  memory ${count(now.residentBytes / 1_000_000)} MB`],
      [lag > 0.1 ? 'bad' : 'plain', `  lag ${latency(lag)}`],
    ],
  ];
}

function profileRows({ profiles }: Snapshot, rates: Rates): Row[] {
  if (profiles.length === 0) return [];
  const header: Row = [
    [
      'strong',
      cells([
        'PROFILE',
        'MODE',
        'RCPT/S',
        'VALID',
        'UNKNOWN',
        'REFUSED',
        'TEMP',
        'FAILED',
        'HITS',
        ...PERCENTILES,
        'CACHED',
      ]),
    ],
  ];
  const rows = profiles.map((profile): Row => {
    const { verdicts, total, hitRatio, ...took } = rates.profile(profile);
    const { valid, unknown, refused, temporary, failed } = verdicts;
    const said = [total, valid, unknown, refused, temporary, failed].map(decimal);
    const hits = hitRatio === null ? '-' : `${Math.round(hitRatio * 100)}%`;
    const cached = count(profile.cache.positive + profile.cache.negative);
    return [['plain', cells([profile.name, profile.mode, ...said, hits, ...percentileCells(took), cached])]];
  });
  return [header, ...rows];
}

function serverRows({ now, sort }: View, rates: Rates): Row[] {
  if (now.servers.length === 0) return [];
  const columns = ['BUSY', 'IDLE', 'LENT', 'LIMIT', 'WAITING', ...PERCENTILES];
  const header: Row = [['strong', serverCells(['SERVER', 'PROFILE', 'ASKED/S'], 'STATE', columns)]];
  const measured = now.servers.map((server) => ({ server, ...rates.server(server) }));
  measured.sort(
    (a, b) => b.probes - a.probes || sum(b.server.probes) - sum(a.server.probes) || byName(a.server, b.server),
  );
  if (sort === 'state') measured.sort((a, b) => trouble(b.server) - trouble(a.server));
  if (sort === 'name') measured.sort((a, b) => byName(a.server, b.server));
  const rows = measured.map(({ server, probes, ...took }): Row => {
    const { busy, idle, lent, limit, waiting } = server.connections;
    const [tone, state] = stateOf(server);
    const figures = [...[busy, idle, lent, limit, waiting].map(count), ...percentileCells(took)];
    return [[tone, serverCells([server.server, server.profile, decimal(probes)], state, figures)]];
  });
  return [header, ...rows];
}

/** A state takes more room than a figure. */
function serverCells(first: readonly string[], state: string, figures: readonly string[]): string {
  return [cells(first), state.padStart(STATE_WIDTH), figureCells(figures)].join(' ');
}

function byName(a: ServerState, b: ServerState): number {
  return a.server.localeCompare(b.server) || a.profile.localeCompare(b.profile);
}

/** Its breaker, where that is not closed, before what its canary has found out. */
function stateOf({ breaker, leftAloneSeconds, suspended, catchAll }: ServerState): readonly [Tone, string] {
  if (breaker === 'open') return ['bad', `open ${time(leftAloneSeconds * 1_000)}`];
  if (breaker === 'half-open') return ['bad', breaker];
  if (suspended) return ['bad', 'suspended'];
  return catchAll ? ['unsure', 'catch-all'] : ['plain', breaker];
}

/** Left alone before half open before suspended before those that are waited for. */
function trouble({ breaker, suspended, connections }: ServerState): number {
  if (breaker !== 'closed') return breaker === 'open' ? 1e9 : 1e8;
  return suspended ? 1e7 : connections.waiting;
}

function offenderRows({ dhap }: Snapshot): Row[] {
  if (dhap.offenders.length === 0) return [];
  const header: Row = [['strong', cells(['BLOCKED CLIENT', 'GROUP', 'INVALID', 'AT'])]];
  const rows = dhap.offenders.map(
    ({ client, group, count: invalid, at }): Row => [
      ['plain', cells([client, group, count(invalid), at.slice(11, 19)])],
    ],
  );
  return [header, ...rows];
}

const PERCENTILES = ['P50', 'P95', 'P99'];
const NAME_WIDTH = 28;
const SECOND_WIDTH = 14;
const WIDTH = 8;
const STATE_WIDTH = 11;

/** Two names, and figures to the right. */
function cells([first = '', second = '', ...others]: readonly string[]): string {
  const names = `${fitted(first, NAME_WIDTH)} ${fitted(second, SECOND_WIDTH)}`;
  return `${names} ${figureCells(others)}`;
}

function figureCells(figures: readonly string[]): string {
  return figures.map((each) => text(each).padStart(WIDTH)).join(' ');
}

function fitted(name: string, width: number): string {
  const plain = text(name);
  return plain.length > width ? `${plain.slice(0, width - 1)}~` : plain.padEnd(width);
}

/** Of one column a character, and obeyed by no terminal. */
function text(from: string): string {
  return oneLine(from);
}

function percentileCells({ p50, p95, p99 }: Percentiles): string[] {
  return [p50, p95, p99].map((seconds) => (seconds === null ? '-' : latency(seconds)));
}

function latency(seconds: number): string {
  if (seconds >= 10) return `${seconds.toFixed(0)} s`;
  if (seconds >= 1) return `${seconds.toFixed(1)} s`;
  return seconds >= 0.01 ? `${(seconds * 1_000).toFixed(0)} ms` : `${(seconds * 1_000).toFixed(1)} ms`;
}

function decimal(number: number): string {
  return number > 0 && number < 10 ? number.toFixed(1) : count(number);
}

function atMost(rows: readonly Row[], most: number): Row[] {
  if (rows.length <= most) return [...rows];
  return [...rows.slice(0, Math.max(0, most - 1)), [['faint', `  and ${count(rows.length - most + 1)} more`]]];
}

function cut(row: Row, columns: number): Row {
  let left = columns;
  const pieces: (readonly [Tone, string])[] = [];
  for (const [tone, piece] of row) {
    const part = piece.slice(0, left);
    left -= part.length;
    if (part !== '') pieces.push([tone, part]);
  }
  return pieces;
}
