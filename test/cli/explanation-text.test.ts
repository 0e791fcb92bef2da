import type { Explanation } from '@callahead/core';
import test from 'ava';
import { explanationJson, explanationText, type Paint, unpainted } from '../../packages/cli/src/explanation-text.ts';

const EXPLANATION: Explanation = {
  recipient: 'ann@example.com',
  listener: 'inbound',
  client: '192.0.2.9',
  steps: [
    { stage: 'access', atMs: 0.04, facts: { entry: 'example.com', action: 'accept' } },
    { stage: 'delivery.domain', atMs: 0.5, facts: { domain: 'example.com' } },
    { stage: 'server', atMs: 12.34, facts: { server: 'ex1.example:25', kind: 'temporary' } },
    { stage: 'keep', atMs: 12.4, facts: { verdict: 'temporary', forMs: '0' } },
    { stage: 'reply', atMs: 12.5, facts: { reply: '450 4.2.1 Later' } },
  ],
  dialogue: ['-- ex1.example:25', 'C: RCPT TO:<ann@example.com>', 'S: 450 4.2.1 Later'],
  verdict: {
    kind: 'temporary',
    source: 'server',
    server: 'ex1.example:25',
    reply: { code: 450, enhanced: '4.2.1', text: 'Later' },
    ref: 'ref1',
  },
  cached: null,
  reply: { code: 450, enhanced: '4.2.1', text: 'Try again (ref1)' },
  delivery: { kind: 'host', recipient: 'ann@example.com', tiers: [['a.example:25', 'b.example:25'], ['c.example:25']] },
  exit: 3,
};

const TEXT = `recipient  ann@example.com
listener   inbound
client     192.0.2.9

   0.0 ms  access            entry        example.com
                             action       accept
  12.3 ms  server            server       ex1.example:25
                             kind         temporary

   0.5 ms  delivery.domain   domain       example.com

  -- ex1.example:25
  C: RCPT TO:<ann@example.com>
  S: 450 4.2.1 Later

verdict    temporary, by ex1.example:25: 450 4.2.1 Later
cached     no
delivery   a.example:25, b.example:25; then c.example:25 for ann@example.com
reply      450 4.2.1 Try again (ref1)
`;

/** The last section, with what is different. */
function ends(different: Partial<Explanation>): string | undefined {
  return explanationText({ ...EXPLANATION, ...different }, unpainted)
    .split('\n\n')
    .at(-1);
}

test('an explanation has the way to the answer, the way of the mail, the dialogue, and what it comes to', (t) => {
  t.is(explanationText(EXPLANATION, unpainted), TEXT);
});

test('the reply has the colour of its class, and paint changes no column', (t) => {
  const tones: string[] = [];
  const paint: Paint = (tone, text) => {
    tones.push(`${tone} ${text}`);
    return text;
  };
  t.is(explanationText(EXPLANATION, paint), TEXT);
  t.is(tones.at(-1), 'unsure 450 4.2.1 Try again (ref1)');
  explanationText({ ...EXPLANATION, exit: 0 }, paint);
  t.true(tones.at(-1)?.startsWith('good '));
  explanationText({ ...EXPLANATION, exit: 1 }, paint);
  t.true(tones.at(-1)?.startsWith('bad '));
});

test('what nobody did is said in words', (t) => {
  t.regex(
    ends({ verdict: null, delivery: null }) ?? '',
    /^verdict {4}nobody was asked\n.*\ndelivery {3}not looked for\n/,
  );
  t.regex(ends({ delivery: { kind: 'discard' } }) ?? '', /delivery {3}\/dev\/null: accepted and thrown away\n/);
  t.regex(ends({ delivery: { kind: 'none', detail: 'failed dns: x' } }) ?? '', /delivery {3}no host: failed dns: x\n/);
});

test('times that an answer is kept are written as the configuration writes them', (t) => {
  for (const [forMs, text] of [
    [86_400_000, '1d'],
    [5_400_000, '90m'],
    [900_000, '15m'],
    [61_000, '61s'],
    [1_500, '1500ms'],
  ] as const)
    t.true(ends({ cached: { forMs } })?.includes(`\ncached     for ${text}\n`), text);
});

test('what a terminal would obey stands as its number', (t) => {
  const hostile = `\u001b[2J\u0007\u009b\u202e\u200b\u2028\r\n\ud800${String.fromCodePoint(0xe0001)}`;
  const step = { stage: hostile, atMs: 0, facts: { [hostile]: hostile } };
  const reply = { code: 550, enhanced: null, text: hostile };
  const all = { recipient: hostile, listener: hostile, client: hostile, dialogue: [hostile], reply, steps: [step] };
  const explanation: Explanation = { ...EXPLANATION, ...all, delivery: { kind: 'none', detail: hostile } };
  t.notRegex(explanationText(explanation, unpainted).replaceAll('\n', ''), /[\p{C}\p{Zl}\p{Zp}]/u);
  const json = explanationJson(explanation);
  t.notRegex(json.replaceAll('\n', ''), /[\p{C}\p{Zl}\p{Zp}]/u);
  t.is(JSON.parse(json).recipient, hostile);
});
