import type { Verdict } from '@callahead/core';
import test from 'ava';
import fc from 'fast-check';
import { connectClient } from '../support/dialogue.ts';
import { fakeRelay, openFrontDoor } from '../support/front-door.ts';

/** What a verdict is, and after how many turns of the event loop it comes. */
type Plan = Readonly<{ kind: 'valid' | 'unknown' | 'refused' | 'temporary' | 'failed'; turns: number }>;

const WANTED: Readonly<Record<Plan['kind'], string>> = {
  valid: '250 2.1.5',
  unknown: '550 5.1.1',
  refused: '554 5.7.1',
  temporary: '450 4.2.0',
  failed: '451 4.4.1',
};
/** FAULTS I-2. */
const REPLY_LINE = /^[2-5]\d\d[ -][\t\x20-\x7e]*$/;

const plans = fc.array(
  fc.record({
    kind: fc.constantFrom<Plan['kind']>('valid', 'unknown', 'refused', 'temporary', 'failed'),
    turns: fc.integer({ min: 0, max: 6 }),
  }),
  { minLength: 1, maxLength: 40 },
);
/** How many commands leave in each write; 0 waits for a turn. */
const groups = fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 12 });

function verdictOf(kind: Plan['kind'], text: string): Verdict {
  const about = { source: 'server', server: 'mail.internal:25' } as const;
  switch (kind) {
    case 'valid':
      return { kind, ...about };
    case 'failed':
      return { kind, ...about, cause: 'connect', detail: text, ref: 'r' };
    case 'unknown':
      return { kind, ...about, reply: { code: 550, enhanced: '5.1.1', text }, ref: 'r' };
    case 'refused':
      return { kind, ...about, reply: { code: 554, enhanced: '5.7.1', text }, ref: 'r' };
    case 'temporary':
      return { kind, ...about, reply: { code: 450, enhanced: '4.2.0', text }, ref: 'r' };
  }
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

async function after(turns: number, verdict: Verdict): Promise<Verdict> {
  for (let i = 0; i < turns; i++) await turn();
  return verdict;
}

test('one reply a RCPT, in their order, whenever the verdicts come and however the client writes', async (t) => {
  let current: readonly Plan[] = [];
  const { port } = await openFrontDoor(t, {
    relay: fakeRelay(),
    limits: { lookAhead: 7 },
    actions: { onValidationFailure: { kind: 'reject' }, serverReply: 'pass' },
    validate: ({ recipient }) => {
      const plan = current[Number(recipient.local.slice(1))];
      const verdict = verdictOf(plan?.kind ?? 'failed', `no ${recipient.local}\r\n250 yes \u0007\u2028`);
      return plan?.turns === 0 ? verdict : after(plan?.turns ?? 0, verdict);
    },
  });
  const client = await connectClient(port);
  t.teardown(client.close);
  await client.reply();
  client.send('EHLO client.example\r\n');
  await client.reply();

  await fc.assert(
    fc.asyncProperty(plans, groups, async (asked, writes) => {
      current = asked;
      const commands = ['MAIL FROM:<>', ...asked.map((_, i) => `RCPT TO:<u${i}@example.com>`), 'RSET'];
      const wanted = ['250 2.1.0', ...asked.map(({ kind }) => WANTED[kind]), '250 2.0.0'];
      const rest = [...commands];
      for (const count of writes) {
        if (count === 0) await turn();
        else if (rest.length > 0)
          client.send(
            rest
              .splice(0, count)
              .map((line) => `${line}\r\n`)
              .join(''),
          );
      }
      if (rest.length > 0) client.send(rest.map((line) => `${line}\r\n`).join(''));
      for (const [i, reply] of wanted.entries()) {
        const line = (await client.line()) ?? '(closed)';
        const asks = asked[i - 1];
        const own = asks !== undefined && asks.kind !== 'valid' && asks.kind !== 'failed' ? ` no u${i - 1}250` : '';
        t.true(REPLY_LINE.test(line) && line.length <= 510, line);
        t.true(line.startsWith(reply), `${line} is not ${reply}`);
        if (own !== '') t.true(line.replaceAll(/ 250/g, '250').includes(own), `${line} does not say${own}`);
      }
    }),
    { numRuns: 100, endOnFailure: true },
  );
});
