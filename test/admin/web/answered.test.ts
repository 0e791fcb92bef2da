import test from 'ava';
import { answeredLine } from '../../../packages/admin/web/src/answered.ts';

const decided = (dialogue: readonly string[]): string | null => {
  const place = answeredLine(dialogue);
  return place === null ? null : (dialogue[place] ?? null);
};

test('the line that decided is the reply to RCPT, not what came after it', (t) => {
  const dialogue = [
    '-- connected to 192.0.2.1:25',
    'S: 220 hello',
    'C: EHLO gateway.example',
    'S: 250-mail.example',
    'S: 250 PIPELINING',
    'C: MAIL FROM:<>',
    'C: RCPT TO:<ann@example.com>',
    'S: 250 2.1.0 Ok',
    'S: 550-5.1.1 No such user',
    'S: 550 5.1.1 here',
    'C: RSET',
    'S: 250 2.0.0 Ok',
  ];
  t.is(decided(dialogue), 'S: 550 5.1.1 here');
});

test('of two sessions the later one decides', (t) => {
  const session = (reply: string): readonly string[] => [
    '-- connected',
    'S: 220 hello',
    'C: RCPT TO:<ann@example.com>',
    `S: ${reply}`,
  ];
  t.is(decided([...session('550 no'), ...session('250 yes')]), 'S: 250 yes');
});

test('where nobody was asked about the recipient no line decided', (t) => {
  t.is(decided([]), null);
  t.is(decided(['-- connected', 'S: 554 go away']), null);
  t.is(decided(['-- connected', 'S: 220 hello', 'C: EHLO me', 'S: 250 ok', 'C: MAIL FROM:<>', 'S: 550 not you']), null);
});
