import type { Reply } from '@callahead/core';
import { createAlarm } from './smtp/deadlines.ts';

/** A reply, perhaps of several lines: `more` are those after the first. */
export type Spoken = Reply & Readonly<{ more?: readonly string[] }>;

/** What a command gets. After `hangUp` nothing more is said. */
export type Answer = Readonly<{ reply: Spoken; hangUp: boolean }>;

/** The place of a reply that is not known yet. */
export type Place = { ready: boolean; readonly deadlineMs: number; readonly settle: () => Answer };

export type Replies = Readonly<{
  /** Says it once everything asked before has been answered. */
  say(reply: Spoken): void;
  /** The same, and nothing after it. */
  sayLast(reply: Spoken): void;
  /** Says it now, and nothing after it: what is unanswered stays so. */
  hangUp(reply: Reply): void;
  /** As `say`, for what is known only when its turn comes. */
  inTurn(settle: () => Answer): void;
  /** Keeps a place. `settle` is called once, in the order of the places: after `fill`, or at the deadline (of the injected clock) without it. */
  keep(deadlineMs: number, settle: () => Answer): Place;
  fill(place: Place): void;
  /** How many commands are unanswered. */
  waiting(): number;
  /** Writes at once what was said. */
  flush(): void;
  /** Forgets all places: the session is over. */
  drop(): void;
}>;

export type RepliesOptions = Readonly<{
  now: () => number;
  write: (text: string) => void;
  /** After each write: places may have become free. */
  written: () => void;
  /** The last reply was written. */
  hungUp: () => void;
}>;

/** A reply line holds 512 octets with its line end (RFC 5321 §4.5.3.1.5). */
const MAX_LINE = 510;

/** The engine answers by the deadline; this is for when it does not, and must not win the race against what it has to tell. */
const GRACE_MS = 50;

/** So long what is said at once waits for what is asked about behind it: they are to go out as a unit (RFC 2920 §3.2). */
const TOGETHER_MS = 50;

const AT_ONCE = Number.POSITIVE_INFINITY;

/** The replies of one session: exactly one a command, in the order of the commands, those of one turn of the event loop in one write. */
export function createReplies({ now, write, written, hungUp }: RepliesOptions): Replies {
  let places: Place[] = [];
  let head = 0;
  let out = '';
  let scheduled = false;
  /** Something was said that others had waited for. */
  let due = false;
  /** Most replies of a session are the same one. */
  let same: Readonly<{ reply: Spoken; text: string }> | null = null;
  let pumping = false;
  let over = false;
  const alarm = createAlarm(now, expire);

  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    // Runs once the verdicts of a packet, which resolve as microtasks, have all been told.
    process.nextTick(endTurn);
  }

  function endTurn(): void {
    scheduled = false;
    const first = places[head];
    if (due || first === undefined) flush();
    else if (out !== '') alarm.set(Math.min(now() + TOGETHER_MS, first.deadlineMs + GRACE_MS));
  }

  function flush(): void {
    if (out === '') return;
    const text = out;
    out = '';
    due = false;
    write(text);
    if (!over) written();
  }

  function tell(answer: Answer): void {
    out += textOf(answer.reply);
    if (!answer.hangUp) {
      schedule();
      return;
    }
    drop();
    flush();
    hungUp();
  }

  function textOf(reply: Spoken): string {
    if (same?.reply !== reply) same = { reply, text: format(reply) };
    return same.text;
  }

  function pump(): void {
    // `settle` may lead back here; the outer loop goes on with what the inner call made ready.
    if (pumping) return;
    pumping = true;
    for (let first = places[head]; first?.ready; first = places[head]) {
      head++;
      due = true;
      tell(first.settle());
    }
    pumping = false;
    forgetSettled();
    const first = places[head];
    if (first !== undefined) alarm.set(first.deadlineMs + GRACE_MS);
  }

  /** A client that always has somebody to wait for never empties its places. Moved only when most are settled, each is moved once on the average. */
  function forgetSettled(): void {
    if (2 * head < places.length) return;
    places = places.slice(head);
    head = 0;
  }

  function expire(): void {
    flush();
    const first = places[head];
    if (first === undefined) return;
    if (first.deadlineMs + GRACE_MS <= now()) first.ready = true;
    pump();
  }

  function inTurn(settle: () => Answer): void {
    if (over) return;
    if (head === places.length) tell(settle());
    else places.push({ ready: true, deadlineMs: AT_ONCE, settle });
  }

  function keep(deadlineMs: number, settle: () => Answer): Place {
    const place: Place = { ready: false, deadlineMs, settle };
    if (over) return place;
    places.push(place);
    if (places.length - head === 1) alarm.set(deadlineMs + GRACE_MS);
    return place;
  }

  function drop(): void {
    over = true;
    places = [];
    head = 0;
    alarm.clear();
  }

  return {
    say: (reply) => inTurn(() => ({ reply, hangUp: false })),
    sayLast: (reply) => inTurn(() => ({ reply, hangUp: true })),
    hangUp(reply) {
      if (over) return;
      drop();
      tell({ reply, hangUp: true });
    },
    inTurn,
    keep,
    fill(place) {
      place.ready = true;
      if (places[head] === place) pump();
    },
    waiting: () => places.length - head,
    flush,
    drop,
  };
}

/** A reply as it goes out: lines of printable ASCII that fit, whatever they were made of (SPEC 9.4). */
export function format(reply: Spoken): string {
  const { code, enhanced, text, more } = reply;
  if (more === undefined || more.length === 0)
    return `${fit(`${code} ${enhanced === null ? '' : `${enhanced} `}${text}`)}\r\n`;
  const lines = [text, ...more];
  return lines.map((line, i) => `${fit(`${code}${i === more.length ? ' ' : '-'}${line}`)}\r\n`).join('');
}

function fit(line: string): string {
  const printable = UNPRINTABLE.test(line) ? line.replace(ALL_UNPRINTABLE, '?') : line;
  return printable.length > MAX_LINE ? printable.slice(0, MAX_LINE) : printable;
}

const UNPRINTABLE = /[^ -~]/;
const ALL_UNPRINTABLE = /[^ -~]/g;
