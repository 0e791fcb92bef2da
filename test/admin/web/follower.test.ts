import test from 'ava';
import { createFollower, type Link } from '../../../packages/admin/web/src/follower.ts';
import type { Outcome } from '../../../packages/admin/web/src/request.ts';
import type { ServerEvent } from '../../../packages/admin/web/src/server-events.ts';
import { until } from '../../support/until.ts';

type Opened = Outcome<ReadableStream<Uint8Array>>;

/** A follower whose clock is ours: `pass` lets the timers that are due go off. */
function follow(answer: () => Opened) {
  const links: Link[] = [];
  const events: ServerEvent[] = [];
  const timers = new Map<() => void, number>();
  let nowMs = 0;
  let attempts = 0;
  const follower = createFollower({
    api: {
      async open() {
        attempts++;
        return answer();
      },
    },
    path: '/api/v1/events',
    onEvent: (event) => events.push(event),
    onLink: (link) => links.push(link),
    now: () => nowMs,
    random: () => 0.5,
    after(ms, action) {
      timers.set(action, nowMs + ms);
      return () => void timers.delete(action);
    },
  });
  function pass(ms: number): void {
    nowMs += ms;
    for (const [action, dueMs] of [...timers]) {
      if (dueMs > nowMs || !timers.delete(action)) continue;
      action();
    }
  }
  const last = (): Link | undefined => links.at(-1);
  return { follower, links, events, last, pass, attempts: () => attempts };
}

function streamOf(...pieces: readonly string[]): Opened {
  const encoder = new TextEncoder();
  const value = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(encoder.encode(piece));
      controller.close();
    },
  });
  return { kind: 'ok', value };
}

test('events are handed on, and an end is followed by another beginning', async (t) => {
  const { events, last, links, pass } = follow(() => streamOf('event: snapshot\nda', 'ta: {}\n\n'));
  await until(() => last()?.kind === 'lost');
  t.deepEqual(events, [{ event: 'snapshot', data: '{}' }]);
  t.deepEqual(
    links.map(({ kind }) => kind),
    ['connecting', 'live', 'lost'],
  );
  pass(1_000);
  await until(() => events.length === 2);
  t.deepEqual(links.map(({ kind }) => kind).slice(3, 5), ['connecting', 'live']);
});

test('pauses double to half a minute, and begin anew once a stream was open', async (t) => {
  let isUp = false;
  const { last, links, pass } = follow(() => (isUp ? streamOf() : { kind: 'unreachable' }));
  const pauses: number[] = [];
  let nowMs = 0;
  for (let i = 0; i < 7; i++) {
    await until(() => last()?.kind === 'lost');
    const link = last();
    const pauseMs = link?.kind === 'lost' ? link.againAtMs - nowMs : 0;
    pauses.push(pauseMs);
    isUp = i === 5;
    nowMs += pauseMs;
    const before = links.length;
    pass(pauseMs);
    await until(() => links.length > before + 1);
  }
  t.deepEqual(pauses, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 1_000]);
});

test('a stream that says nothing any more is given up', async (t) => {
  const silent = new ReadableStream<Uint8Array>({});
  const { last, pass, follower } = follow(() => ({ kind: 'ok', value: silent }));
  await until(() => last()?.kind === 'live');
  pass(8_000);
  await until(() => last()?.kind === 'lost');
  t.regex(JSON.stringify(last()), /nothing comes/);
  follower.stop();
});

test('a follower without the right token waits to be told, and tries at once when it is', async (t) => {
  let isRight = false;
  const { last, pass, attempts, follower } = follow(() => (isRight ? streamOf() : { kind: 'unauthorized' }));
  await until(() => last()?.kind === 'locked');
  pass(600_000);
  t.is(attempts(), 1);
  isRight = true;
  follower.retry();
  await until(() => last()?.kind === 'lost');
  t.is(attempts(), 2);
});

test('a follower that was stopped begins nothing any more', async (t) => {
  const { last, pass, attempts, follower } = follow(() => ({ kind: 'unreachable' }));
  await until(() => last()?.kind === 'lost');
  follower.stop();
  pass(600_000);
  t.is(attempts(), 1);
});
