/**
 * The mail server behind a gateway: knows every user, and does no more than tell commands apart by their first letter. Prints the port it listens
 * on. `sink.ts DELAY` answers each read after DELAY milliseconds, as a server far away does; `sink.ts silent` accepts connections and says nothing;
 * `sink.ts any DELAY` listens on every loopback address, all 127.x.y.z.
 */
import { createServer, type Socket } from 'node:net';

const LF = 10;
const [E, L, Q] = [69, 76, 81];
const OK = '250 2.1.5 Ok\r\n';
const BYE = '221 2.0.0 Bye\r\n';
const HELLO = '250-sink.example\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES\r\n';

const [mode = '0', delay = mode] = process.argv.slice(2);
const delayMs = Number(delay) || 0;

const server = createServer((socket) => {
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  if (mode === 'silent') socket.resume();
  else serve(socket);
});

function serve(socket: Socket): void {
  let atStart = true;
  later(() => socket.write('220 sink.example ESMTP\r\n'));
  socket.on('data', (chunk) => {
    let answer = '';
    let start = 0;
    while (start < chunk.length) {
      const end = chunk.indexOf(LF, start);
      // What a command is can be told by its first letter, however its line is split.
      if (atStart) answer += replyTo(chunk[start] ?? 0);
      atStart = end >= 0;
      start = end >= 0 ? end + 1 : chunk.length;
    }
    if (answer === '') return;
    later(() => (answer.endsWith(BYE) ? socket.end(answer) : socket.write(answer)));
  });
}

function replyTo(letter: number): string {
  if (letter === E || letter === L) return HELLO;
  return letter === Q ? BYE : OK;
}

function later(work: () => void): void {
  if (delayMs === 0) work();
  else setTimeout(work, delayMs);
}

// More connections may come at once than the default backlog of 511 holds.
server.listen({ port: 0, host: mode === 'any' ? '0.0.0.0' : '127.0.0.1', backlog: 4_096 }, () => {
  const at = server.address();
  if (at !== null && typeof at === 'object') process.stdout.write(`${at.port}\n`);
});
