import { SMTPServer } from 'smtp-server';

export type MailboxServer = Readonly<{ close(): Promise<void> }>;

/** A small mail server that knows `users` and tells `onMail` what it took. It stands for the Exchange, Postfix or Dovecot that a real gateway asks. */
export async function startMailboxServer(
  options: Readonly<{
    port: number;
    users: readonly string[];
    onMail: (recipients: readonly string[], text: string) => void;
  }>,
): Promise<MailboxServer> {
  const users = new Set(options.users);
  const server = new SMTPServer({
    name: 'mailboxes.example',
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    onRcptTo: ({ address }, _session, done) => {
      if (users.has(address.toLowerCase())) done();
      else done(Object.assign(new Error('5.1.1 No such mailbox'), { responseCode: 550 }));
    },
    onData: (stream, session, done) => {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('error', done);
      stream.on('end', () => {
        options.onMail(
          session.envelope.rcptTo.map((rcpt) => rcpt.address),
          Buffer.concat(parts).toString('utf8'),
        );
        done();
      });
    },
  });
  server.on('error', () => {});
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject);
    server.listen(options.port, '127.0.0.1', () => resolve());
  });
  return { close: () => new Promise((resolve) => server.close(() => resolve())) };
}
