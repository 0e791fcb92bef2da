/**
 * The load generator, a process of its own: `load.ts '{"port":…}'`. It opens `concurrency` sessions at a time; in each, MAIL and all RCPTs leave in
 * one write, and replies are counted by their line ends, not parsed, so that it costs little beside what it measures.
 */
import { connect, type Socket } from 'node:net';

export type Load = Readonly<{
  port: number;
  sessions: number;
  recipients: number;
  concurrency: number;
  /** Addresses are `u<offset + n mod distinct>@example.com`. */
  offset: number;
  distinct: number;
}>;

/** `accepted` counts the 250s among the RCPT replies. */
export type LoadResult = Readonly<{ rcpts: number; accepted: number; seconds: number; cpuSeconds: number }>;

const LF = 10;

if (process.argv[2] !== undefined) {
  const result = await run(JSON.parse(process.argv[2]) as Load);
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

async function run(load: Load): Promise<LoadResult> {
  let next = 0;
  let accepted = 0;
  const cpu = process.cpuUsage();
  const startMs = performance.now();

  async function worker(): Promise<void> {
    while (next < load.sessions) {
      const session = next++;
      const lines = ['MAIL FROM:<sender@client.example>'];
      for (let i = 0; i < load.recipients; i++) {
        lines.push(`RCPT TO:<u${load.offset + ((session * load.recipients + i) % load.distinct)}@example.com>`);
      }
      const good = await converse(load.port, `${lines.join('\r\n')}\r\n`, lines.length);
      accepted += good;
    }
  }

  await Promise.all(Array.from({ length: load.concurrency }, worker));
  const used = process.cpuUsage(cpu);
  return {
    rcpts: load.sessions * load.recipients,
    accepted,
    seconds: (performance.now() - startMs) / 1_000,
    cpuSeconds: (used.user + used.system) / 1e6,
  };
}

/** One session. Resolves with the number of 250s to RCPT. */
async function converse(port: number, transaction: string, replies: number): Promise<number> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.setTimeout(20_000, () => socket.destroy(new Error('no word from the server for 20 s')));
  const failure = new Promise<never>((_, reject) => {
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the server hung up')));
  });
  failure.catch(() => {});
  await Promise.race([reading(socket, 1), failure]);
  socket.write('EHLO client.example\r\n');
  await Promise.race([lastLine(socket), failure]);
  socket.write(transaction);
  const good = (await Promise.race([reading(socket, replies), failure])) - 1;
  socket.end('QUIT\r\n');
  return good;
}

/** Waits for `lines` lines and counts those that begin with 250. */
function reading(socket: Socket, lines: number): Promise<number> {
  return new Promise((resolve) => {
    let seen = 0;
    let good = 0;
    let atStart = true;
    function onData(chunk: Buffer): void {
      let start = 0;
      while (start < chunk.length) {
        if (atStart && chunk[start] === 50) good++;
        const end = chunk.indexOf(LF, start);
        atStart = end >= 0;
        if (end < 0) break;
        seen++;
        start = end + 1;
      }
      if (seen < lines) return;
      socket.off('data', onData);
      resolve(good);
    }
    socket.on('data', onData);
  });
}

/** Waits for the last line of a reply of many. */
function lastLine(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    let text = '';
    function onData(chunk: Buffer): void {
      text += chunk.toString('latin1');
      if (!/^\d{3} [^\n]*\n$/m.test(text)) return;
      socket.off('data', onData);
      resolve();
    }
    socket.on('data', onData);
  });
}
