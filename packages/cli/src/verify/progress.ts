import { type GenericFormatter, SingleBar } from 'cli-progress';
import { count, time } from '../words.ts';

/** A bar on a terminal; on anything else it is none. */
export type Progress = Readonly<{
  /** So many have a result; `place`: how far that is on the way to the total, in its unit. */
  advance(done: number, place: number): void;
  /** Results are about to be written to the same terminal. */
  makeRoom(): void;
  /** Takes it away. */
  stop(): void;
}>;

export type ProgressOptions = Readonly<{
  stderr: NodeJS.WriteStream;
  /** Addresses, or octets of a file; null: nobody knows, then there is a rate but no bar and no time left. */
  total: number | null;
  /** Those of an earlier run say nothing of the rate. */
  from: Readonly<{ done: number; place: number }>;
  now: () => number;
}>;

const FRAMES_A_SECOND = 4;
const BAR_WIDTH = 30;
const NOTHING: Progress = { advance: () => {}, makeRoom: () => {}, stop: () => {} };

export function createProgress({ stderr, total, from, now }: ProgressOptions): Progress {
  if (!stderr.isTTY) return NOTHING;
  const startedMs = now();
  const format: GenericFormatter = (_options, { value }, { done }: Readonly<{ done: number }>) =>
    progressLine({ done, place: value, total, from, tookMs: now() - startedMs });
  const bar = new SingleBar({
    stream: stderr,
    format,
    fps: FRAMES_A_SECOND,
    // The rate changes while nothing is answered.
    forceRedraw: true,
    clearOnComplete: true,
    stopOnComplete: false,
    gracefulExit: false,
  });
  bar.start(total ?? 0, from.place, { done: from.done });
  return {
    advance: (done, place) => bar.update(place, { done }),
    makeRoom: () => void stderr.write('\r\x1b[K'),
    stop: () => bar.stop(),
  };
}

type Standing = Pick<ProgressOptions, 'total' | 'from'> & Readonly<{ done: number; place: number; tookMs: number }>;

/** `████░░░░ 42%  420,000 recipients  13,888/s  42s left` */
export function progressLine({ done, place, total, from, tookMs }: Standing): string {
  const seconds = Math.max(0.001, tookMs / 1_000);
  const figures = `${count(done)} recipients  ${count((done - from.done) / seconds)}/s`;
  if (total === null || total === 0) return figures;
  const share = Math.min(1, place / total);
  const full = Math.floor(share * BAR_WIDTH);
  const bar = `${'█'.repeat(full)}${'░'.repeat(BAR_WIDTH - full)} ${Math.floor(share * 100)}%`;
  const placesASecond = (place - from.place) / seconds;
  const left = placesASecond > 0 ? `  ${time(((total - place) / placesASecond) * 1_000)} left` : '';
  return `${bar}  ${figures}${left}`;
}
