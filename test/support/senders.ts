/** Mail clients: swaks speaks one session and shows it, smtp-source sends many messages at once, and one of ours asks about many recipients in one write. */
import { createConnection } from 'node:net';
import { type Finished, finish, program, within } from './debian.ts';

/** What swaks saw: the replies to its RCPT commands in order, and whether the server took the message. */
export type SwaksResult = Readonly<{ replies: readonly string[]; accepted: boolean; dialogue: string }>;

/** Sends one message. `from` `''` is the null sender. Several recipients share one transaction, whose rest goes on when some are refused. */
export async function swaks(
  to: Readonly<{
    port: number;
    from: string;
    recipients: readonly string[];
    subject?: string;
    args?: readonly string[];
  }>,
): Promise<SwaksResult> {
  const { output } = await finish(program('swaks'), [
    ...['--server', '127.0.0.1', '--port', String(to.port), '--helo', 'client.example'],
    ...['--from', to.from === '' ? '<>' : to.from, '--to', to.recipients.join(',')],
    ...['--header', `Subject: ${to.subject ?? 'test'}`, '--timeout', '30', ...(to.args ?? [])],
  ]);
  return {
    replies: repliesTo(output, 'RCPT TO:'),
    accepted: /^<-\s+250 /m.test(after(output, ' -> .')),
    dialogue: output,
  };
}

/** Sends `messages` messages to one recipient over `sessions` parallel sessions. Its exit code is not 0 when one is refused. */
export async function smtpSource(
  to: Readonly<{
    port: number;
    from: string;
    recipient: string;
    messages: number;
    sessions: number;
    args?: readonly string[];
  }>,
): Promise<Finished> {
  return finish(program('smtp-source'), [
    ...['-s', String(to.sessions), '-m', String(to.messages), '-M', 'client.example'],
    ...['-f', to.from, '-t', to.recipient, ...(to.args ?? []), `127.0.0.1:${to.port}`],
  ]);
}

/** Asks about all recipients in one write, which neither of the others does. Returns the codes of the replies to RCPT, in order. */
export async function pipelined(port: number, recipients: readonly string[]): Promise<readonly number[]> {
  const socket = createConnection(port, '127.0.0.1');
  let text = '';
  // What follows the greeting of EHLO goes out at once: MAIL, every RCPT, RSET, QUIT.
  const asks = ['MAIL FROM:<sender@client.example>', ...recipients.map((each) => `RCPT TO:<${each}>`), 'RSET', 'QUIT'];
  const steps = ['EHLO client.example', asks.join('\r\n')];
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    if (/^\d{3} .*\r\n$/m.test(text) && text.endsWith('\r\n') && steps.length > 0) socket.write(`${steps.shift()}\r\n`);
  });
  const closed = new Promise<void>((resolve, reject) => {
    socket.on('close', () => resolve());
    socket.on('error', reject);
  });
  try {
    await within(closed, 60_000, () => `the session does not end: ${text}`);
  } finally {
    socket.destroy();
  }
  // The greeting, the reply to EHLO and the one to MAIL come first, those to RSET and QUIT last.
  const codes = [...text.matchAll(/^(\d{3}) /gm)].map((match) => Number(match[1]));
  return codes.slice(3, -2);
}

/** swaks marks what it sends with `->` and what it reads with `<-`, or `<**` where it did not like it. */
function repliesTo(dialogue: string, command: string): readonly string[] {
  const replies: string[] = [];
  let asked = false;
  for (const line of dialogue.split('\n')) {
    if (line.startsWith(' -> ')) asked = line.slice(4).startsWith(command);
    else if (asked && /^<(-|\*\*)\s+\d{3} /.test(line)) replies.push(line.slice(4).trim());
  }
  return replies;
}

function after(text: string, mark: string): string {
  const at = text.indexOf(`\n${mark}\n`);
  return at < 0 ? '' : text.slice(at);
}
