/** The mail server behind the gateway: knows every user, and does no more work than telling commands apart. Prints the port it listens on. */
import { createServer } from 'node:net';

const server = createServer((socket) => {
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.write('220 sink.example ESMTP\r\n');
  let partial = '';
  socket.on('data', (chunk) => {
    const lines = (partial + chunk.toString('latin1')).split('\r\n');
    partial = lines.pop() ?? '';
    let answer = '';
    for (const line of lines) {
      if (line.startsWith('EHLO')) answer += '250-sink.example\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES\r\n';
      else if (line.startsWith('QUIT')) answer += '221 2.0.0 Bye\r\n';
      else answer += '250 2.1.5 Ok\r\n';
    }
    if (answer.includes('221 ')) socket.end(answer);
    else if (answer !== '') socket.write(answer);
  });
});
server.listen(0, '127.0.0.1', () => {
  const at = server.address();
  if (at !== null && typeof at === 'object') process.stdout.write(`${at.port}\n`);
});
