/** The limit: answers 250 to every line it can find, knows nothing of SMTP. Prints the port it listens on. */
import { createServer } from 'node:net';

const OK = '250 2.1.5 Ok\r\n';
const LF = 10;
const Q = 81;

const server = createServer((socket) => {
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.write('220 echo.example\r\n');
  socket.on('data', (chunk) => {
    // The load generator writes whole lines, and QUIT in a write of its own.
    if (chunk[0] === Q) {
      socket.end('221 Bye\r\n');
      return;
    }
    let lines = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, end + 1)) lines++;
    if (lines > 0) socket.write(OK.repeat(lines));
  });
});
// More connections may come at once than the default backlog of 511 holds.
server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => {
  const at = server.address();
  if (at !== null && typeof at === 'object') process.stdout.write(`${at.port}\n`);
});
