/** What the page knows of its gateway, kept up to date by the stream of events. Its memory is bounded: an hour of points, a thousand rows. */
import type { ReadingsTold, Status, VerdictRow } from './contract.ts';
import { createFollower, type Follower, type Link } from './follower.ts';
import { createHistory, type Sample } from './history.ts';
import type { Api } from './request.ts';
import type { ServerEvent } from './server-events.ts';
import { createStore, type Store } from './store.ts';

/** `rows`: newest first. `skipped`: rows that came too fast to be sent, since they were last fetched. */
export type Live = Readonly<{
  link: Link;
  status: Status | null;
  samples: readonly Sample[];
  rows: readonly VerdictRow[];
  skipped: number;
}>;

export type LiveStore = Pick<Store<Live>, 'get' | 'watch'> &
  Pick<Follower, 'retry' | 'stop'> &
  Readonly<{
    /** Fetches the last rows anew. */
    refill(): Promise<void>;
  }>;

export type LiveOptions = Readonly<{
  api: Api;
  /** Milliseconds since 1970. */
  now: () => number;
  random: () => number;
  after: (ms: number, action: () => void) => () => void;
}>;

const MOST_SAMPLES = 3_600;
const MOST_ROWS = 1_000;

export function createLive({ api, now, random, after }: LiveOptions): LiveStore {
  const history = createHistory(MOST_SAMPLES);
  const store = createStore<Live>({ link: { kind: 'connecting' }, status: null, samples: [], rows: [], skipped: 0 });
  const change = (part: Partial<Live>): void => store.set({ ...store.get(), ...part });

  function onEvent({ event, data }: ServerEvent): void {
    if (event === 'readings') takeReadings(JSON.parse(data));
    if (event === 'snapshot') takeSnapshot(JSON.parse(data));
    if (event === 'verdicts') takeRows(JSON.parse(data));
  }

  function takeReadings(told: ReadingsTold): void {
    history.add(told);
    change({ samples: history.samples() });
  }

  function takeSnapshot(status: Status): void {
    const before = store.get().status;
    change({ status });
    // The rows of a gateway that was restarted begin with 1 again.
    if (before !== null && before.startedAt !== status.startedAt) void refill();
  }

  function takeRows({ verdicts, skipped }: Readonly<{ verdicts: readonly VerdictRow[]; skipped: number }>): void {
    const { rows, skipped: before } = store.get();
    change({ rows: newestFirst(verdicts, rows), skipped: before + skipped });
  }

  async function refill(): Promise<void> {
    const asked = await api.get<Readonly<{ verdicts: readonly VerdictRow[] }>>(`/api/v1/verdicts?limit=${MOST_ROWS}`);
    if (asked.kind !== 'ok') return;
    const [newest] = asked.value.verdicts;
    const later = store.get().rows.filter(({ id, at }) => newest !== undefined && id > newest.id && at >= newest.at);
    change({ rows: newestFirst(asked.value.verdicts, later), skipped: 0 });
  }

  function onLink(link: Link): void {
    change({ link });
    // What came while nobody listened; it never rejects.
    if (link.kind === 'live') void refill();
  }

  const { retry, stop } = createFollower({ api, path: '/api/v1/events', onEvent, onLink, now, random, after });
  return { get: store.get, watch: store.watch, retry, stop, refill };
}

function newestFirst(some: readonly VerdictRow[], others: readonly VerdictRow[]): readonly VerdictRow[] {
  const known = new Set(others.map(({ id }) => id));
  const all = [...others, ...some.filter(({ id }) => !known.has(id))];
  return all.sort((a, b) => b.id - a.id).slice(0, MOST_ROWS);
}
