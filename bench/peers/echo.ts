/** The limit: answers 250 to every line it can find, knows nothing of SMTP. Prints the port it listens on. */
import { createServer } from 'node:net';

const server = createServer((socket) => {
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.write('220 echo.example\r\n');
  let partial = '';
  socket.on('data', (chunk) => {
    const lines = (partial + chunk.toString('latin1')).split('\r\n');
    partial = lines.pop() ?? '';
    if (lines[0] === 'QUIT') socket.end('221 Bye\r\n');
    else if (lines.length > 0) socket.write('250 2.1.5 Ok\r\n'.repeat(lines.length));
  });
});
server.listen(0, '127.0.0.1', () => {
  const at = server.address();
  if (at !== null && typeof at === 'object') process.stdout.write(`${at.port}\n`);
});
