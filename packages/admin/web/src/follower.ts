/** Holds one stream of events open, and opens it again whenever it ends. */
import type { Api } from './request.ts';
import { createEventParser, type ServerEvent } from './server-events.ts';

/** How the page stands with its gateway. `lost`: it will be tried again then, on the clock of `now`. */
export type Link =
  | Readonly<{ kind: 'connecting' }>
  | Readonly<{ kind: 'live' }>
  | Readonly<{ kind: 'lost'; why: string; againAtMs: number }>
  | Readonly<{ kind: 'locked' }>;

export type Follower = Readonly<{
  /** Tries at once, with the token of now. */
  retry(): void;
  stop(): void;
}>;

export type FollowerOptions = Readonly<{
  api: Pick<Api, 'open'>;
  path: string;
  onEvent: (event: ServerEvent) => void;
  onLink: (link: Link) => void;
  now: () => number;
  /** 0 to 1: keeps the pages of several people apart. */
  random: () => number;
  after: (ms: number, action: () => void) => () => void;
}>;

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
/** A snapshot comes once a second: what is silent for so long is gone, whatever TCP says. */
const SILENCE_MS = 8_000;

export function createFollower(options: FollowerOptions): Follower {
  const { onLink, now, random, after } = options;
  let failures = 0;
  let attempt = new AbortController();
  let cancel = (): void => {};

  function begin(): void {
    cancel();
    attempt.abort();
    attempt = new AbortController();
    onLink({ kind: 'connecting' });
    // It never rejects.
    void run(attempt);
  }

  async function run(own: AbortController): Promise<void> {
    const ended = await readAll(own, options, () => {
      failures = 0;
      onLink({ kind: 'live' });
    });
    // Another attempt has taken its place.
    if (own !== attempt || own.signal.aborted) return;
    if (ended === 'locked') return onLink({ kind: 'locked' });
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures, 10)) * (0.75 + random() / 2);
    failures++;
    onLink({ kind: 'lost', why: ended, againAtMs: now() + pauseMs });
    cancel = after(pauseMs, begin);
  }

  begin();
  return {
    retry() {
      failures = 0;
      begin();
    },
    stop() {
      cancel();
      attempt.abort();
    },
  };
}

/** Resolves with why it is over, or with `locked`. */
async function readAll(own: AbortController, options: FollowerOptions, opened: () => void): Promise<string> {
  const { api, path, onEvent, after } = options;
  const silence = new AbortController();
  const expect = (): (() => void) => after(SILENCE_MS, () => silence.abort());
  const signal = AbortSignal.any([own.signal, silence.signal]);
  let cancel = expect();
  try {
    const asked = await api.open(path, signal);
    if (asked.kind === 'unauthorized') return 'locked';
    if (asked.kind === 'problem') return asked.problem.message;
    if (asked.kind === 'unreachable') return 'the gateway does not answer';
    opened();
    const parse = createEventParser();
    const decoder = new TextDecoder();
    const reader = asked.value.getReader();
    // Where the stream does not heed the signal its reader does; that it was broken already is told by `read`.
    signal.addEventListener('abort', () => void reader.cancel().catch(() => {}));
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return endOf(silence, 'the gateway has ended the connection');
      cancel();
      cancel = expect();
      if (!own.signal.aborted) for (const event of parse(decoder.decode(value, { stream: true }))) onEvent(event);
    }
  } catch {
    return endOf(silence, 'the connection broke');
  } finally {
    cancel();
  }
}

function endOf(silence: AbortController, other: string): string {
  return silence.signal.aborted ? 'nothing comes from the gateway any more' : other;
}
