/** smtp-server alone: accepts every recipient, asks nobody. Prints the port it listens on. */
import { SMTPServer } from 'smtp-server';

const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ['AUTH', 'STARTTLS'],
  disableReverseLookup: true,
});
server.on('error', () => {});
// More connections may come at once than the default backlog of 511 holds.
server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => {
  const at = server.server.address();
  if (at !== null && typeof at === 'object') process.stdout.write(`${at.port}\n`);
});
