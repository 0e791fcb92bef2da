/** GET /api/v1/events: server-sent events to a few clients, none of which can make the gateway wait or remember much. */
import type { ServerResponse } from 'node:http';
import type { Readings } from './readings.ts';
import type { Recent } from './recent.ts';

export type Streams = Readonly<{
  /** There are as many as there may be. */
  full(): boolean;
  /** Sends events to the client until it goes, or reads too slowly. */
  open(response: ServerResponse): void;
  close(): void;
}>;

export type StreamsOptions = Readonly<{ snapshot: () => Promise<object>; recent: Recent; readings: Readings }>;

const MOST_STREAMS = 16;
const TELL_MS = 250;
/** A snapshot with every so many of those. */
const SNAPSHOT_EVERY = 4;
const MOST_ROWS = 50;
/** What may wait for a client: more than all readings and the largest snapshot. */
const MOST_WAITING_OCTETS = 1_048_576;

/** `row` and `reading`: the last ones that were told. */
type Stream = { readonly response: ServerResponse; row: number; reading: number };

export function createStreams({ snapshot, recent, readings }: StreamsOptions): Streams {
  const streams = new Set<Stream>();
  let timer: NodeJS.Timeout | null = null;
  let turns = 0;
  let isAsking = false;

  function open(response: ServerResponse): void {
    const stream = { response, row: recent.total(), reading: 0 };
    streams.add(stream);
    const gone = (): void => leave(stream);
    response.on('close', gone);
    response.on('error', gone);
    response.write(': callahead\n\n');
    tellReadings(stream);
    timer ??= setInterval(turn, TELL_MS);
    // It never rejects: what it cannot have it leaves out.
    void tellSnapshot([stream]);
  }

  function leave(stream: Stream): void {
    streams.delete(stream);
    stream.response.destroy();
    if (streams.size > 0 || timer === null) return;
    clearInterval(timer);
    timer = null;
  }

  function turn(): void {
    turns++;
    for (const stream of streams) {
      tellReadings(stream);
      tellVerdicts(stream);
    }
    // As above. A gateway in trouble takes its time: it is not asked again meanwhile.
    if (turns % SNAPSHOT_EVERY === 0 && !isAsking) void tellSnapshot([...streams]);
  }

  function tellReadings(stream: Stream): void {
    if (readings.total() === stream.reading) return;
    const told = readings.since(stream.reading);
    stream.reading = readings.total();
    send(stream, eventText('readings', told));
  }

  function tellVerdicts(stream: Stream): void {
    const { rows: verdicts, skipped } = recent.since(stream.row, MOST_ROWS);
    if (verdicts.length === 0) return;
    stream.row = recent.total();
    send(stream, eventText('verdicts', JSON.stringify({ verdicts, skipped })));
  }

  async function tellSnapshot(to: readonly Stream[]): Promise<void> {
    isAsking = true;
    try {
      const text = eventText('snapshot', JSON.stringify(await snapshot()));
      for (const stream of to) if (streams.has(stream)) send(stream, text);
    } catch {
      // The next one may be had.
    } finally {
      isAsking = false;
    }
  }

  function send(stream: Stream, text: string): void {
    if (stream.response.writableLength > MOST_WAITING_OCTETS) leave(stream);
    else stream.response.write(text);
  }

  function close(): void {
    for (const stream of streams) leave(stream);
  }

  return { full: () => streams.size >= MOST_STREAMS, open, close };
}

/** `json`: in one line. */
function eventText(event: string, json: string): string {
  return `event: ${event}\ndata: ${json}\n\n`;
}
