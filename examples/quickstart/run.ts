/** `npm start`: a mailbox server that knows three users, the gateway before it, a sender who gives it something to do (not with `--quiet`), and what to type to see it work. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startMailboxServer } from './mailbox-server.ts';
import { startSender } from './sender.ts';

const SENDING_MINUTES = 30;

const root = fileURLToPath(new URL('../..', import.meta.url));
const isQuiet = process.argv.includes('--quiet');
const token = ensureToken(`${root}examples/quickstart/token`);

const users = ['alice@example.com', 'bob@example.com', 'postmaster@example.com'];

const invitation = `
The mailbox server on 127.0.0.1:2526 knows ${users.join(', ')}.
The gateway listens on 127.0.0.1:2525 and asks it about every recipient. Talk to it:

  telnet 127.0.0.1 2525          (or: nc -C 127.0.0.1 2525)

  EHLO me.example
  MAIL FROM:<me@sender.example>
  RCPT TO:<alice@example.com>    250: the mailbox server knows her
  RCPT TO:<nobody@example.com>   550 5.1.1: it does not know him; the log below shows the dialogue under the reply's reference
  RCPT TO:<nobody@example.com>   550 5.1.1: this time from the cache, nobody is asked
  RCPT TO:<bob@elsewhere.org>    550 5.7.1: not ours, so nobody is asked
  DATA                           the mailbox server takes the message before you hear 250
  QUIT

See it in the console:  http://127.0.0.1:8025/#token=${token}
${isQuiet ? 'Nobody else writes to it.' : `A small sender writes to it for ${SENDING_MINUTES} minutes, so that there is something to see; "npm start -- --quiet" leaves it out.`}

Or with one command: swaks --server 127.0.0.1:2525 --from me@sender.example --to alice@example.com
Ctrl-C ends it.
`;

const mailboxes = await startMailboxServer({ port: 2526, users, onMail: showMail }).catch(
  (error: NodeJS.ErrnoException) => {
    process.stderr.write(
      `The mailbox server needs 127.0.0.1:2526, which is not free (${error.code ?? error.message}).\n`,
    );
    process.exit(1);
  },
);

const gateway = spawn(
  `${root}node_modules/.bin/callahead`,
  ['serve', '-c', `${root}examples/quickstart/callahead.yaml`],
  {
    stdio: 'inherit',
  },
);
process.stdout.write(`${invitation}\n`);
const sender = isQuiet ? null : startSender({ port: 2525, minutes: SENDING_MINUTES });

// On Ctrl-C the terminal tells the gateway too; a service manager tells only us.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => gateway.kill('SIGTERM'));
gateway.on('exit', (code) => {
  sender?.stop();
  void mailboxes.close();
  process.exitCode = code ?? 1;
});

function showMail(recipients: readonly string[], text: string): void {
  const subject = /^subject: *(.*)$/im.exec(text)?.[1] ?? '(none)';
  process.stdout.write(
    `mailbox server: a message for ${recipients.join(', ')}, subject: ${subject.replace(/[^\x20-\x7e]/g, '?')}\n`,
  );
}

/** Of this copy alone, and kept: a browser that has it may go on after a restart. */
function ensureToken(file: string): string {
  if (!existsSync(file)) writeFileSync(file, `${randomBytes(18).toString('base64url')}\n`, { mode: 0o600 });
  return readFileSync(file, 'utf8').trim();
}
