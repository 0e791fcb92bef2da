/**
 * The load generator, a process of its own: `load.ts '{"port":…}'`. It keeps `sessions` sessions open, the next one as soon as one is through, or
 * begins them at a steady rate whatever becomes of them, and prints what came back within the window as one line of JSON. Replies are told apart by
 * their first octet and counted, not parsed, so that it costs little beside what it measures.
 */
import { connect } from 'node:net';
import { createHistogram } from '../support/histogram.ts';

export type Load = Readonly<{
  port: number;
  /** Sessions at once; where they come at a rate, the most that may be open. */
  sessions: number;
  /** So many begin in each second, as senders do who know nothing of each other; null: one follows another. */
  arrivals: number | null;
  /** Recipients of a session, all in one transaction. */
  recipients: number;
  /** MAIL and all RCPTs in one write; otherwise each command waits for the reply to the last one. */
  pipelined: boolean;
  /** Addresses are `<prefix><n>@<domain>`, where n begins anew after `distinct` of them; null: no address comes twice. */
  prefix: string;
  distinct: number | null;
  /** The domains are `d<first>.example.com` and the next ones, in turns; null: all addresses are at `example.com`. */
  domains: Readonly<{ first: number; count: number }> | null;
  /** What is answered sooner is not counted: the first connections, all at once, are no steady state. */
  rampSeconds: number;
  /** The window in which answers are counted. */
  seconds: number;
}>;

/**
 * `answered` counts all replies to RCPT; the other figures are about the window. Accepted, deferred (4yz) and refused are recipients; turned away are
 * sessions that had 4yz in place of the greeting.
 */
export type LoadResult = Readonly<{
  answered: number;
  accepted: number;
  deferred: number;
  refused: number;
  turnedAway: number;
  /** Sessions that the server ended, or that never opened, over the whole run. */
  broken: number;
  seconds: number;
  cpuSeconds: number;
  p50Ms: number;
  p99Ms: number;
  /** Of the last recipient of each session; pipelined, that is how long all of them took. */
  lastP50Ms: number;
  /** How long the greeting with 4yz took, or a 4yz to RCPT once the replies before it were there. */
  turnedAwayP99Ms: number;
}>;

const LF = 10;
const HYPHEN = 45;
const [TWO, FOUR] = [50, 52];
/** After a session that broke, so that a server that is gone is not called in an endless loop. */
const PAUSE_MS = 20;
/** How often sessions that come at a rate are begun. */
const ARRIVE_MS = 10;
/** Sessions under way at the end may go on for so long: the next server is measured while this one rests. */
const LEAVE_MS = 3_000;

if (process.argv[2] !== undefined) await run(JSON.parse(process.argv[2]) as Load);

async function run(load: Load): Promise<void> {
  const { domains, distinct, prefix } = load;
  const acceptedMs = createHistogram();
  const lastMs = createHistogram();
  const turnedAwayMs = createHistogram();
  const counted = { accepted: 0, deferred: 0, refused: 0, turnedAway: 0 };
  const cpu = process.cpuUsage();
  const startMs = performance.now() + load.rampSeconds * 1_000;
  const endMs = startMs + load.seconds * 1_000;
  let answered = 0;
  let broken = 0;
  let next = 0;
  let open = 0;
  let begun = 0;

  function rcpt(): string {
    const n = next++;
    const local = `${prefix}${distinct === null ? n : n % distinct}`;
    const host = domains === null ? '' : `d${domains.first + (n % domains.count)}.`;
    return `RCPT TO:<${local}@${host}example.com>\r\n`;
  }

  function isCounted(nowMs: number): boolean {
    return nowMs >= startMs && nowMs < endMs;
  }

  function count(first: number, sinceMs: number, heardMs: number, nowMs: number): void {
    if (!isCounted(nowMs)) return;
    if (first === TWO) {
      counted.accepted++;
      acceptedMs.add(nowMs - sinceMs);
    } else if (first === FOUR) {
      counted.deferred++;
      turnedAwayMs.add(nowMs - Math.max(sinceMs, heardMs));
    } else counted.refused++;
  }

  function openSession(): void {
    if (performance.now() >= endMs) return;
    open++;
    begun++;
    const socket = connect({ port: load.port, host: '127.0.0.1', noDelay: true });
    const openedMs = performance.now();
    let stage: 'greeting' | 'hello' | 'mail' | 'recipients' | 'over' = 'greeting';
    let sentMs = openedMs;
    let heardMs = openedMs;
    let left = load.recipients;
    let partial: Buffer | null = null;

    function onReply(first: number, nowMs: number): void {
      switch (stage) {
        case 'greeting':
          if (first === TWO) greet();
          else goAway(nowMs);
          return;
        case 'hello':
          stage = 'mail';
          socket.write(transaction());
          sentMs = nowMs;
          return;
        case 'mail':
          stage = 'recipients';
          if (!load.pipelined) ask(nowMs);
          return;
        case 'recipients':
          answered++;
          count(first, sentMs, heardMs, nowMs);
          heardMs = nowMs;
          if (--left === 0) leave(nowMs);
          else if (!load.pipelined) ask(nowMs);
          return;
        case 'over':
      }
    }

    function greet(): void {
      stage = 'hello';
      socket.write('EHLO client.example\r\n');
    }

    function transaction(): string {
      let text = 'MAIL FROM:<sender@client.example>\r\n';
      if (load.pipelined) for (let n = 0; n < load.recipients; n++) text += rcpt();
      return text;
    }

    function ask(nowMs: number): void {
      sentMs = nowMs;
      socket.write(rcpt());
    }

    function close(): void {
      stage = 'over';
      open--;
    }

    function leave(nowMs: number): void {
      close();
      if (isCounted(nowMs)) lastMs.add(nowMs - sentMs);
      socket.end('QUIT\r\n');
      if (load.arrivals === null) openSession();
    }

    function goAway(nowMs: number): void {
      if (isCounted(nowMs)) {
        counted.turnedAway++;
        turnedAwayMs.add(nowMs - openedMs);
      }
      close();
      socket.destroy();
      comeBack();
    }

    function onEnd(): void {
      if (stage === 'over') return;
      close();
      socket.destroy();
      broken++;
      comeBack();
    }

    function comeBack(): void {
      if (load.arrivals === null) setTimeout(openSession, PAUSE_MS);
    }

    socket.on('data', (chunk) => {
      const nowMs = performance.now();
      const text: Buffer = partial === null ? chunk : Buffer.concat([partial, chunk]);
      let start = 0;
      for (let end = text.indexOf(LF); end >= 0; end = text.indexOf(LF, start)) {
        const last = text[start + 3] !== HYPHEN;
        if (last) onReply(text[start] ?? 0, nowMs);
        start = end + 1;
      }
      partial = start === text.length ? null : text.subarray(start);
    });
    socket.on('error', onEnd);
    socket.on('close', onEnd);
  }

  const beginMs = performance.now();
  const arriving = load.arrivals === null ? null : setInterval(arrive, ARRIVE_MS, load.arrivals);
  if (arriving === null) for (let session = 0; session < load.sessions; session++) openSession();

  /** Those whose time has come; what is over the most that may be open is not offered, and missing in what was. */
  function arrive(aSecond: number): void {
    const due = Math.floor(((performance.now() - beginMs) * aSecond) / 1_000);
    if (performance.now() >= endMs) return;
    while (begun < due && open < load.sessions) openSession();
    begun = due;
  }

  await new Promise((resolve) => setTimeout(resolve, endMs - performance.now()));
  if (arriving !== null) clearInterval(arriving);
  const used = process.cpuUsage(cpu);
  const leftMs = endMs + LEAVE_MS;
  while (open > 0 && performance.now() < leftMs) await new Promise((resolve) => setTimeout(resolve, 10));
  const result: LoadResult = {
    ...counted,
    answered,
    broken,
    seconds: load.seconds,
    cpuSeconds: (used.user + used.system) / 1e6,
    p50Ms: acceptedMs.quantile(0.5),
    p99Ms: acceptedMs.quantile(0.99),
    lastP50Ms: lastMs.quantile(0.5),
    turnedAwayP99Ms: turnedAwayMs.quantile(0.99),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}
