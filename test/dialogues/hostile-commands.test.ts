/** Clients that send commands for their own sake: every one is answered, and every session comes to an end (SPEC 9.3). */
import test from 'ava';
import { play } from '../support/dialogue.ts';
import { openFrontDoor } from '../support/front-door.ts';
import { until } from '../support/until.ts';

const HELLO = `
  S: 220
  C: EHLO client.example
  S: 250*
`;
const MAIL = `${HELLO}
  C: MAIL FROM:<sender@client.example>
  S: 250 2.1.0
`;

/**
 * How a session begins, how often it is answered, a command that is said again and again, its reply. What leads nowhere may come a hundred times, EHLO
 * included, what is wrong twenty times.
 */
const JUNK = `
  EHLO 99 250 2.0.0 | NOOP
  EHLO 99 250 2.0.0 | RSET
  EHLO 99 252 2.0.0 | VRFY known
  MAIL 99 554 5.5.1 | DATA
  EHLO 99 553 5.6.7 | MAIL FROM:<j\xc3\xbcrgen@client.example>
  EHLO 99 552 5.3.4 | MAIL FROM:<a@client.example> SIZE=99999999
  MAIL 99 553 5.1.3 | RCPT TO:<known%elsewhere.example@example.com>
  MAIL 99 553 5.6.7 | RCPT TO:<j\xc3\xbcrgen@example.com>
  EHLO 20 502 5.5.1 | EXPN list
  EHLO 20 502 5.5.1 | STARTTLS
  EHLO 20 500 5.5.2 | WIZ
  EHLO 20 500 5.5.2 | XCLIENT ADDR=192.0.2.1
  EHLO 20 500 5.5.2 | XFORWARD NAME=mail.example
  EHLO 20 500 5.5.2 |
  EHLO 20 500 5.5.2 | ${'x'.repeat(3_000)}
  EHLO 20 501 5.1.7 | MAIL FROM:<a b@client.example>
  EHLO 20 555 5.5.4 | MAIL FROM:<> X=Y
  EHLO 20 503 5.5.1 | RCPT TO:<known@example.com>
  MAIL 20 501 5.5.4 | RCPT TO:<known@example.com
  MAIL 20 503 5.5.1 | MAIL FROM:<>
  MAIL 20 501 5.5.4 | DATA now
  220 20 501 5.5.4 | EHLO two words
`;

const BEGINNINGS: Readonly<Record<string, string>> = { '220': 'S: 220', EHLO: HELLO, MAIL };

for (const row of JUNK.trim().split('\n')) {
  const [beginning = '', most = '', code = '', enhanced = '', , ...words] = row.trim().split(' ');
  const command = words.join(' ');
  const shown = JSON.stringify(command.slice(0, 50));
  test(`${shown} ${beginning === 'MAIL' ? 'after MAIL ' : ''}is answered ${code} ${enhanced} up to ${most} times, and then the session is over`, async (t) => {
    const { port, listener } = await openFrontDoor(t);
    const said = `C! ${JSON.stringify(`${command}\r\n`)}\nS: ${code} ${enhanced}\n`;
    await play(
      port,
      `${BEGINNINGS[beginning]}\n${said.repeat(Number(most))}\nC! ${JSON.stringify(`${command}\r\n`)}\nS: 421 4.7.0\nS: (closed)`,
    );
    await until(() => listener.sessions() <= 0);
    t.is(listener.sessions(), 0);
  });
}
