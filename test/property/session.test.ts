import test from 'ava';
import fc from 'fast-check';
import { connectClient } from '../support/dialogue.ts';
import { knows, openFrontDoor } from '../support/front-door.ts';
import { cut } from '../support/mail-data.ts';
import { until } from '../support/until.ts';

/** A command, the code it gets outside a transaction and inside one, and whether it begins (or ends) one there. */
type Command = Readonly<{ line: string; outside: number; inside: number; opens?: boolean; ends?: boolean }>;

const COMMANDS: readonly Command[] = [
  { line: 'NOOP', outside: 250, inside: 250 },
  { line: 'rset', outside: 250, inside: 250, ends: true },
  { line: 'MAIL FROM:<a@client.example>', outside: 250, inside: 503, opens: true },
  { line: 'MAIL FROM:<a@client.example> FOO=BAR', outside: 555, inside: 503 },
  { line: 'MAIL FROM:<a\u0000@client.example>', outside: 501, inside: 503 },
  { line: 'RCPT TO:<known@example.com>', outside: 503, inside: 250 },
  { line: 'RCPT TO:<nobody@example.com>', outside: 503, inside: 550 },
  { line: 'RCPT TO:<known@elsewhere.example>', outside: 503, inside: 550 },
  { line: 'RCPT TO:<a%b@example.com>', outside: 503, inside: 553 },
  { line: 'RCPT TO:<\xff\xfe@example.com>', outside: 503, inside: 501 },
  { line: 'RCPT TO:<known@example.com> NOTIFY=NEVER', outside: 503, inside: 555 },
  { line: 'VRFY known', outside: 502, inside: 502 },
  { line: `X${'y'.repeat(2_500)}`, outside: 500, inside: 500 },
  { line: '\u001b[31m\u2028'.slice(0, 5), outside: 500, inside: 500 },
  { line: '', outside: 500, inside: 500 },
];

test('every command gets exactly one reply, in its order, wherever the segments are cut', async (t) => {
  const { port, listener } = await openFrontDoor(t, {
    limits: { syntaxErrors: 10_000, lookAhead: 3 },
    // Every second verdict comes later.
    validate: (request) => {
      const verdict = knows('known')(request);
      return request.recipient.local === 'known'
        ? new Promise((resolve) => void setImmediate(resolve, verdict))
        : verdict;
    },
  });
  const commands = fc.array(fc.constantFrom(...COMMANDS), { minLength: 1, maxLength: 50 });
  const places = fc.array(fc.nat(2_000), { maxLength: 10 });
  await fc.assert(
    fc.asyncProperty(commands, places, async (said, at) => {
      const client = await connectClient(port);
      try {
        await client.reply();
        client.send('EHLO client.example\r\n');
        await client.reply();
        const octets = said.map(({ line }) => `${line}\r\n`).join('');
        for (const segment of cut(`${octets}QUIT\r\n`, at)) {
          client.socket.write(segment);
          await new Promise((resolve) => void setImmediate(resolve));
        }
        let inside = false;
        for (const command of said) {
          const wanted = inside ? command.inside : command.outside;
          const line = (await client.line()) ?? '(closed)';
          if (!/^[2-5]\d\d [245]\.\d\.\d{1,2} [ -~]+$/.test(line)) throw new Error(`no reply: ${line}`);
          if (!line.startsWith(`${wanted} ${line[0]}.`)) throw new Error(`${line} to ${command.line}, not ${wanted}`);
          inside = (inside || command.opens === true) && command.ends !== true;
        }
        const bye = [await client.line(), await client.line()];
        if (!bye[0]?.startsWith('221 ') || bye[1] !== null) throw new Error(`no end: ${bye.join()}`);
      } finally {
        client.close();
      }
    }),
    { numRuns: 40 },
  );
  await until(() => listener.sessions() <= 0);
  t.is(listener.sessions(), 0);
});
