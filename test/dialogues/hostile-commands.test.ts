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

/** How a session begins, a command that is said again and again, its reply, and how often; EHLO is the first of a hundred that lead nowhere. */
const JUNK: readonly (readonly [before: string, command: string, reply: string, most: number])[] = [
  [HELLO, 'NOOP', '250 2.0.0', 99],
  [HELLO, 'RSET', '250 2.0.0', 99],
  [MAIL, 'DATA', '554 5.5.1', 99],
  [HELLO, 'MAIL FROM:<j\xc3\xbcrgen@client.example>', '553 5.6.7', 99],
  [HELLO, 'MAIL FROM:<a@client.example> SIZE=99999999', '552 5.3.4', 99],
  [MAIL, 'RCPT TO:<known%elsewhere.example@example.com>', '553 5.1.3', 99],
  [MAIL, 'RCPT TO:<j\xc3\xbcrgen@example.com>', '553 5.6.7', 99],
  [HELLO, 'VRFY known', '502 5.5.1', 20],
  [HELLO, 'EXPN list', '502 5.5.1', 20],
  [HELLO, 'STARTTLS', '502 5.5.1', 20],
  [HELLO, 'WIZ', '500 5.5.2', 20],
  [HELLO, '', '500 5.5.2', 20],
  [HELLO, 'x'.repeat(3_000), '500 5.5.2', 20],
  [HELLO, 'MAIL FROM:<a b@client.example>', '501 5.1.7', 20],
  [HELLO, 'MAIL FROM:<> X=Y', '555 5.5.4', 20],
  [HELLO, 'RCPT TO:<known@example.com>', '503 5.5.1', 20],
  [MAIL, 'RCPT TO:<known@example.com', '501 5.5.4', 20],
  [MAIL, 'MAIL FROM:<>', '503 5.5.1', 20],
  [MAIL, 'DATA now', '501 5.5.4', 20],
  ['S: 220', 'EHLO two words', '501 5.5.4', 20],
];

for (const [before, command, reply, most] of JUNK) {
  const shown = JSON.stringify(command.slice(0, 50));
  test(`${shown} ${before === MAIL ? 'after MAIL ' : ''}is answered ${reply} up to ${most} times, and then the session is over`, async (t) => {
    const { port, listener } = await openFrontDoor(t);
    const said = `C! ${JSON.stringify(`${command}\r\n`)}\nS: ${reply}\n`;
    await play(
      port,
      `${before}\n${said.repeat(most)}\nC! ${JSON.stringify(`${command}\r\n`)}\nS: 421 4.7.0\nS: (closed)`,
    );
    await until(() => listener.sessions() <= 0);
    t.is(listener.sessions(), 0);
  });
}
