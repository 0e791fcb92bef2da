import { PassThrough, type Readable } from 'node:stream';
import type { Reply } from '@callahead/core';
import type { Delivery } from './delivery.ts';
import type { Relay } from './relay.ts';
import { DOT, LF } from './smtp/octets.ts';
import { type Envelope, NEXT_HOP } from './transaction.ts';

/**
 * Takes one message. `message` are its octets with a Received line and CRLF line ends, not dot-stuffed; it fails where the sender does not finish the
 * message, which then must not be kept. The reply is the sender's: 2yz once the message is safe. One that rejects, or takes five minutes after the
 * end, is 451.
 */
export type Deliver = (envelope: Envelope, message: Readable) => Reply | Promise<Reply>;

const END_OF_DATA_MS = 300_000;
/** What waits in memory for a function that reads slowly, before its sender waits. */
const MOST_WAITING_OCTETS = 262_144;

/** Passes messages to a function in place of a next hop. */
export function createOwnRelay(deliver: Deliver, now: () => number): Pick<Relay, 'open'> {
  return {
    async open(envelope) {
      return { kind: 'open', delivery: deliverTo(deliver, envelope, now) };
    },
  };
}

function deliverTo(deliver: Deliver, envelope: Envelope, now: () => number): Delivery {
  const message = new PassThrough({ highWaterMark: MOST_WAITING_OCTETS });
  // Whoever reads it is told; that nobody does must not end the process.
  message.on('error', () => {});
  const unstuff = createUnstuffing();
  const said = run(deliver, envelope, message);
  let finished: Promise<Reply> | null = null;

  function write(octets: Buffer): void | Promise<void> {
    if (message.destroyed || message.write(unstuff(octets))) return;
    return new Promise((resolve) => {
      message.once('drain', resolve);
      message.once('close', resolve);
    });
  }

  async function end(): Promise<Reply> {
    message.end();
    const deadlineMs = now() + END_OF_DATA_MS;
    const { promise: late, resolve } = Promise.withResolvers<Reply>();
    const timer = setTimeout(() => resolve(NEXT_HOP.lost), Math.max(0, deadlineMs - now()));
    const reply = await Promise.race([said, late]);
    clearTimeout(timer);
    return reply;
  }

  return {
    server: '',
    write,
    finish() {
      finished ??= end();
      return finished;
    },
    abort: () => void message.destroy(new Error('the sender did not finish the message')),
  };
}

async function run(deliver: Deliver, envelope: Envelope, message: PassThrough): Promise<Reply> {
  try {
    const reply = await deliver(envelope, message);
    // What is left of a message that was decided about early is read by nobody.
    message.resume();
    return reply;
  } catch {
    message.resume();
    return NEXT_HOP.lost;
  }
}

/** Takes the dots away that SMTP puts before lines which begin with one (RFC 5321 §4.5.2), however the octets are cut. */
function createUnstuffing(): (octets: Buffer) => Buffer {
  let last = LF;
  return (octets) => {
    const pieces: Buffer[] = [];
    let from = 0;
    for (let at = octets.indexOf(DOT); at !== -1; at = octets.indexOf(DOT, at + 1)) {
      if ((at === 0 ? last : octets[at - 1]) !== LF) continue;
      pieces.push(octets.subarray(from, at));
      from = at + 1;
    }
    last = octets.at(-1) ?? last;
    pieces.push(octets.subarray(from));
    return pieces.length === 1 ? octets : Buffer.concat(pieces);
  };
}
