/**
 * Messages between threads as octets. A batch travels as columns of numbers and a table of words, everything else as plain maps:
 * msgpackr's record structures are off, since the two ends of a replaced thread would not agree on them.
 */
import { addExtension, Packr } from 'msgpackr';
import type { SavedAnswers, ToMain, ToWorker } from './message.ts';
import { Sealed, secretOf } from './secret.ts';
import type { Cause, Source, Verdict } from './verdict.ts';

type Asks = Extract<ToWorker, { kind: 'asks' }>;
type Verdicts = Extract<ToMain, { kind: 'verdicts' }>;

/** Ascending runs: how far each begins after the end of the one before, and how many numbers it has. */
type Runs = readonly number[];
type WireAsks = Omit<Asks, 'ids'> & Readonly<{ ids: Runs }>;
/** `cells`: for each verdict its shape and then its fields, words by their place in `words`; a negative cell repeats the verdict before it so many times. */
type WireVerdicts = Readonly<{ kind: 'verdicts'; ids: Runs; words: readonly string[]; cells: readonly number[] }>;

const KINDS = ['valid', 'unknown', 'refused', 'temporary', 'failed'] as const;
const SOURCES: readonly Source[] = ['server', 'cache', 'shared', 'routing', 'delivery'];
const CAUSES: readonly Cause[] = [
  'timeout',
  'dns',
  'ldap',
  'connect',
  'tls',
  'greeting',
  'policy',
  'protocol',
  'overload',
  'no-route',
  'loop',
];
const NO_WORD = 0;

const packr = new Packr({ useRecords: false });

// What an actor says to a server may be a secret, and is one again in its thread. The type number is ours to choose below 100.
addExtension({
  Class: Sealed,
  type: 1,
  pack: (secret: Sealed) => Buffer.from(secret.reveal(), 'utf8'),
  unpack: (octets: Uint8Array) => secretOf(Buffer.from(octets).toString('utf8')),
});

/** One packet for a worker thread, in a buffer of exactly its size that nothing else shares, so that it can be transferred. */
export function packToWorker(messages: readonly ToWorker[]): Uint8Array<ArrayBuffer> {
  return pack(messages.map((message) => (message.kind === 'asks' ? asksToWire(message) : message)));
}

export function unpackToWorker(packet: Uint8Array): readonly ToWorker[] {
  const messages = packr.unpack(packet) as readonly (Exclude<ToWorker, Asks> | WireAsks)[];
  return messages.map((message) => (message.kind === 'asks' ? asksFromWire(message) : message));
}

/** One packet for the main thread; as `packToWorker`. */
export function packToMain(messages: readonly ToMain[]): Uint8Array<ArrayBuffer> {
  return pack(messages.map((message) => (message.kind === 'verdicts' ? verdictsToWire(message) : message)));
}

export function unpackToMain(packet: Uint8Array): readonly ToMain[] {
  const messages = packr.unpack(packet) as readonly (Exclude<ToMain, Verdicts> | WireVerdicts)[];
  return messages.map((message) => (message.kind === 'verdicts' ? verdictsFromWire(message) : message));
}

/** Cached answers as octets that outlive the process. */
export function packAnswers(answers: SavedAnswers): Uint8Array {
  return new Uint8Array(packr.pack(answers));
}

export function unpackAnswers(octets: Uint8Array): SavedAnswers {
  return packr.unpack(octets);
}

/** msgpackr hands out a view of a buffer that also holds earlier messages: other people's recipients must not travel along. */
function pack(wire: readonly object[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(packr.pack(wire));
}

function asksToWire(asks: Asks): WireAsks {
  return { ...asks, ids: toRuns(asks.ids) };
}

function asksFromWire(asks: WireAsks): Asks {
  return { ...asks, ids: fromRuns(asks.ids) };
}

function verdictsToWire(message: Verdicts): WireVerdicts {
  const words: string[] = [];
  const places = new Map<string, number>();
  const cells: number[] = [];
  let previous: Verdict | null = null;

  /** The place of a word counts from 1: 0 says that there is none. */
  const place = (word: string): number => {
    const known = places.get(word);
    if (known !== undefined) return known;
    const added = words.push(word);
    places.set(word, added);
    return added;
  };

  for (const verdict of message.verdicts) {
    if (previous !== null && same(previous, verdict)) {
      const last = cells.at(-1) ?? 0;
      if (last < 0) cells[cells.length - 1] = last - 1;
      else cells.push(-1);
      continue;
    }
    previous = verdict;
    cells.push(KINDS.indexOf(verdict.kind) * SOURCES.length + SOURCES.indexOf(verdict.source), place(verdict.server));
    if (verdict.kind === 'valid') continue;
    if (verdict.kind === 'failed') {
      cells.push(CAUSES.indexOf(verdict.cause), place(verdict.detail), place(verdict.ref));
      continue;
    }
    const { code, enhanced, text } = verdict.reply;
    cells.push(code, enhanced === null ? NO_WORD : place(enhanced), place(text), place(verdict.ref));
  }
  return { kind: 'verdicts', ids: toRuns(message.ids), words, cells };
}

function verdictsFromWire(message: WireVerdicts): Verdicts {
  const { cells, words } = message;
  const verdicts: Verdict[] = [];
  let at = 0;
  const next = (): number => cells[at++] ?? 0;
  const word = (): string => words[next() - 1] ?? '';

  while (at < cells.length) {
    const shape = next();
    const previous = verdicts.at(-1);
    if (shape < 0 && previous !== undefined) {
      for (let repeated = 0; repeated > shape; repeated--) verdicts.push(previous);
      continue;
    }
    verdicts.push(readVerdict(shape, next, word));
  }
  return { kind: 'verdicts', ids: fromRuns(message.ids), verdicts };
}

function readVerdict(shape: number, next: () => number, word: () => string): Verdict {
  const kind = KINDS[Math.floor(shape / SOURCES.length)] ?? 'failed';
  const source = SOURCES[shape % SOURCES.length] ?? 'server';
  const server = word();
  if (kind === 'valid') return { kind, source, server };
  if (kind === 'failed') {
    return { kind, source, server, cause: CAUSES[next()] ?? 'protocol', detail: word(), ref: word() };
  }
  const code = next();
  const enhanced = word();
  const reply = { code, enhanced: enhanced === '' ? null : enhanced, text: word() };
  return { kind, source, server, reply, ref: word() };
}

/** Only what batches repeat is worth comparing: recipients that one server knows, and one verdict given to many. */
function same(a: Verdict, b: Verdict): boolean {
  if (a === b) return true;
  return a.kind === 'valid' && b.kind === 'valid' && a.source === b.source && a.server === b.server;
}

function toRuns(numbers: readonly number[]): Runs {
  const runs: number[] = [];
  let end = 0;
  for (const number of numbers) {
    if (runs.length > 0 && number === end) {
      runs[runs.length - 1] = (runs[runs.length - 1] ?? 0) + 1;
    } else {
      runs.push(number - end, 1);
    }
    end = number + 1;
  }
  return runs;
}

function fromRuns(runs: Runs): number[] {
  const numbers: number[] = [];
  let end = 0;
  for (let i = 0; i < runs.length; i += 2) {
    const begin = end + (runs[i] ?? 0);
    end = begin + (runs[i + 1] ?? 0);
    for (let number = begin; number < end; number++) numbers.push(number);
  }
  return numbers;
}
