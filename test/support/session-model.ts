/** What a session owes its client, the plain way: commands, the codes they get, and what they leave behind. Nothing of the product's code is used here. */

export type Command = Readonly<{
  line: string;
  /** Its code before EHLO, after it, after MAIL, and after a recipient was accepted; one number where they are the same. */
  codes: number | readonly [number, number, number, number];
  leads?: 'hello' | 'sender' | 'message' | 'reset' | 'tls' | 'end';
  /** Whom it makes a recipient. */
  recipient?: string;
  /** It is no command of ours: behind a DATA that was refused it is a part of the message. */
  odd?: true;
}>;

/** A message behind 354, without its terminator, and the code its end gets. */
export type Body = Readonly<{ octets: string; code: number }>;

/** `last`: nothing may be said after it. `rcpt`: an event tells of it. */
export type Expected = Readonly<{ code: number; last: boolean; rcpt: boolean }>;

/** What a command gets behind which another comes that may not. */
export const OUT_OF_STEP: Expected = { code: 554, last: true, rcpt: false };

export type Model = Readonly<{
  obey(command: Command): Expected;
  /** Whom the message of this transaction is for: each of them once. */
  recipients(): readonly string[];
  endMessage(): void;
}>;

const GROUP_ENDS = /^(?:DATA|EHLO|HELO|STARTTLS)\b/i;

/** Behind these a client has to wait for the reply (RFC 2920 §3.1). */
export function hasToWait({ line }: Command): boolean {
  return GROUP_ENDS.test(line);
}

const rcpt = (path: string, code: number, recipient?: string): Command => ({
  line: `RCPT TO:${path}`,
  codes: [503, 503, code, code],
  ...(recipient === undefined ? {} : { recipient }),
});

export const EHLO: Command = { line: 'EHLO client.example', codes: 250, leads: 'hello' };
export const MAIL: Command = { line: 'MAIL FROM:<a@client.example>', codes: [503, 250, 503, 503], leads: 'sender' };
export const RSET: Command = { line: 'rset', codes: 250, leads: 'reset' };
export const DATA: Command = { line: 'DATA', codes: [503, 503, 554, 354], leads: 'message' };
const QUIT: Command = { line: 'QUIT', codes: 221, leads: 'end' };
export const RECIPIENTS: readonly Command[] = [
  rcpt('<known@example.com> ', 250, 'known@example.com'),
  rcpt('<known@example.com>', 250, 'known@example.com'),
  rcpt('<later@EXAMPLE.com>', 250, 'later@example.com'),
  rcpt('<Postmaster>', 250, 'postmaster@example.com'),
  rcpt('<nobody@example.com>', 550),
  rcpt('<later-nobody@example.com>', 550),
  rcpt('<known@elsewhere.example>', 550),
  rcpt('<a%b@example.com>', 553),
  rcpt('<j\xc3\xbc@example.com>', 553),
  rcpt('<\xff\xfe@example.com>', 501),
  rcpt('<known@example.com', 501),
  rcpt('<known@example.com> NOTIFY=NEVER', 555),
];

export const COMMANDS: readonly Command[] = [
  EHLO,
  { line: 'helo client.example', codes: 250, leads: 'hello' },
  { line: 'EHLO', codes: 501 },
  { line: 'EHLO two words', codes: 501 },
  { line: 'LHLO client.example', codes: 502, odd: true },
  MAIL,
  { line: 'mail from:<> SIZE=1000 BODY=8BITMIME', codes: [503, 250, 503, 503], leads: 'sender' },
  { line: 'MAIL FROM:<a@client.example> FOO=BAR', codes: [503, 555, 503, 503] },
  { line: 'MAIL FROM:<a\u0000@client.example>', codes: [503, 501, 503, 503] },
  { line: 'MAIL FROM:<> SIZE=99999999', codes: [503, 552, 503, 503] },
  ...RECIPIENTS,
  DATA,
  { line: 'DATA now', codes: 501 },
  RSET,
  { line: 'RSET now', codes: 501 },
  { line: 'NOOP', codes: 250 },
  { line: 'NOOP known@example.com', codes: 250 },
  { line: 'VRFY known', codes: 252 },
  { line: 'EXPN list', codes: 502, odd: true },
  { line: 'HELP', codes: 502, odd: true },
  { line: 'AUTH PLAIN AGEAYg==', codes: 502, odd: true },
  { line: 'STARTTLS', codes: 220, leads: 'tls' },
  { line: 'STARTTLS now', codes: 501 },
  { line: `X${'y'.repeat(2_500)}`, codes: 500 },
  { line: `RCPT TO:<${'y'.repeat(2_500)}`, codes: 500 },
  { line: '\u001b[31m\x80', codes: 500, odd: true },
  { line: '', codes: 500, odd: true },
  { line: '250 2.0.0 Ok', codes: 500, odd: true },
  { line: 'NOOP\nNOOP', codes: 500, leads: 'end' },
  { line: 'GET / HTTP/1.1', codes: 421, leads: 'end' },
  QUIT,
];

/** A session that more than `mostFaults` mistakes end. */
export function createModel(mostFaults: number): Model {
  let hello = false;
  let sender = false;
  let encrypted = false;
  let dataRefused = false;
  const recipients = new Set<string>();
  let faults = 0;

  function obey(command: Command): Expected {
    const behindData = dataRefused;
    if (command.line.length < 2_000) dataRefused = false;
    if (command.odd && behindData) return OUT_OF_STEP;
    const code = codeOf(command);
    const last = command.leads === 'end';
    if (/^DATA\b/.test(command.line)) dataRefused = code !== 354;
    const rcpt = command.line.startsWith('RCPT') && code !== 503 && code !== 500;
    if (!last && code >= 500 && (code < 505 || code === 555)) faults++;
    if (faults > mostFaults) return { code: 421, last: true, rcpt };
    if (code < 400) lead(command);
    return { code, last, rcpt };
  }

  function codeOf({ line, codes }: Command): number {
    if (encrypted && line.startsWith('STARTTLS')) return 503;
    if (typeof codes === 'number') return codes;
    if (!hello) return codes[0];
    if (!sender) return codes[1];
    return recipients.size === 0 ? codes[2] : codes[3];
  }

  function lead({ leads, recipient }: Command): void {
    if (recipient !== undefined) recipients.add(recipient);
    if (leads === 'sender') sender = true;
    if (leads === 'hello' || leads === 'reset' || leads === 'tls') endMessage();
    if (leads === 'hello') hello = true;
    if (leads === 'tls') {
      hello = false;
      encrypted = true;
    }
  }

  function endMessage(): void {
    sender = false;
    recipients.clear();
  }

  return {
    obey,
    recipients: () => [...recipients],
    endMessage,
  };
}
