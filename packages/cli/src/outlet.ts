/** Where log lines leave the process. A log that nobody reads, or a full disk, must not stop the mail: what cannot be written is dropped and counted. */
import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Terminal } from './terminal.ts';

export type Outlet = Readonly<{
  /** One line with its line end; it leaves with the others of this turn of the event loop. Never throws and never waits. */
  write(line: string): void;
  /** Writes now what was written in this turn: the process is about to end. */
  flush(): void;
  /** Waits for what is still on its way, no longer than `withinMs`; true: all of it is out. */
  empty(withinMs: number): Promise<boolean>;
}>;

/** What may wait in memory for a pipe that is not read. */
const MOST_WAITING_OCTETS = 1_048_576;
/** Lines leave earlier than the turn ends once they are so many. */
const PIECE_OCTETS = 65_536;
const LOOK_AGAIN_MS = 10;

/** Lines go to `stdout`, whose descriptor is `fd`; that they cannot be written is said once, on `stderr`. After a pause the log tells how many are missing. */
export function createOutlet({ stdout, stderr }: Terminal, fd: number): Outlet {
  const put = stdout instanceof Socket ? toStream : toFile;
  let waiting = '';
  let lines = 0;
  let dropped = 0;
  let complained = false;
  /** A pipe whose reader has gone. It has no other one later. */
  let closed = false;
  stdout.on('error', (error) => {
    closed = true;
    complain(error);
  });

  function write(line: string): void {
    // A system call a line is what a busy gateway would do most.
    if (lines === 0) setImmediate(flush);
    waiting += line;
    lines++;
    if (waiting.length >= PIECE_OCTETS) flush();
  }

  function flush(): void {
    if (lines === 0) return;
    const [text, count] = [waiting, lines];
    waiting = '';
    lines = 0;
    try {
      put(dropped > 0 ? `${gap(dropped)}${text}` : text);
      dropped = 0;
    } catch (error) {
      dropped += count;
      complain(error as Error);
    }
  }

  /** A pipe is written to when it has room; what waits for that is bounded here. */
  function toStream(text: string): void {
    if (closed) throw new Error('it is closed');
    if (stdout.writableLength > MOST_WAITING_OCTETS) throw new Error('it is not read');
    stdout.write(text);
  }

  // Not through the stream, which is of no use any more after its first error: a disk may have room again.
  function toFile(text: string): void {
    writeSync(fd, text);
  }

  function complain(error: Error): void {
    if (complained) return;
    complained = true;
    stderr.write(`callahead: the log cannot be written (${error.message}): lines are dropped, mail goes on\n`);
  }

  async function empty(withinMs: number): Promise<boolean> {
    flush();
    const isEmpty = (): boolean => stdout.writableLength === 0 || closed;
    for (let waitedMs = 0; !isEmpty() && waitedMs < withinMs; waitedMs += LOOK_AGAIN_MS) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    }
    return isEmpty();
  }

  return { write, flush, empty };
}

function gap(lines: number): string {
  return `${JSON.stringify({ level: 40, time: Date.now(), event: 'log.dropped', lines, msg: 'log.dropped' })}\n`;
}
