import { createReplyParser, printReply, readStatus } from '@callahead/core';
import test from 'ava';

function parse(text: string): ReturnType<ReturnType<typeof createReplyParser>['push']> {
  return createReplyParser().push(Buffer.from(text, 'latin1'));
}

function status(text: string): ReturnType<typeof readStatus> {
  const [raw] = parse(text);
  if (raw?.kind !== 'reply') throw new Error(`no reply: ${JSON.stringify(raw)}`);
  return readStatus(raw);
}

test('a reply of one line', (t) => {
  t.deepEqual(parse('250 2.1.5 Ok\r\n'), [{ kind: 'reply', code: 250, lines: ['2.1.5 Ok'] }]);
});

test('a code without text, with and without a space', (t) => {
  t.deepEqual(parse('250\r\n'), [{ kind: 'reply', code: 250, lines: [''] }]);
  t.deepEqual(parse('250 \r\n'), [{ kind: 'reply', code: 250, lines: [''] }]);
});

test('a reply of several lines ends with the line that has no hyphen', (t) => {
  t.deepEqual(parse('250-a\r\n250-\r\n250 b\r\n'), [{ kind: 'reply', code: 250, lines: ['a', '', 'b'] }]);
});

test('two replies in one segment', (t) => {
  t.deepEqual(parse('250 a\r\n550 b\r\n'), [
    { kind: 'reply', code: 250, lines: ['a'] },
    { kind: 'reply', code: 550, lines: ['b'] },
  ]);
});

test('a bare LF ends a line', (t) => {
  t.deepEqual(parse('220-x\n220 y\n'), [{ kind: 'reply', code: 220, lines: ['x', 'y'] }]);
});

for (const [name, text] of Object.entries({
  'two codes in one reply': '250-a\r\n550 b\r\n',
  HTTP: 'HTTP/1.1 400 Bad Request\r\n',
  'no space behind the code': '250Ok\r\n',
  'a code of two digits': '25 Ok\r\n',
  'a class that SMTP does not have': '650 Ok\r\n',
  'an empty line': '\r\n',
  'a line without end': 'x'.repeat(5000),
  'a line too long': `250 ${'x'.repeat(5000)}\r\n`,
  'a reply without end': '250-x\r\n'.repeat(300),
})) {
  test(`${name} is no reply, and nothing behind it is one`, (t) => {
    const parser = createReplyParser();
    const found = [...parser.push(Buffer.from(text)), ...parser.push(Buffer.from('250 Ok\r\n'))];
    t.is(found.at(-1)?.kind, 'malformed');
    t.is(found.filter((f) => f.kind === 'malformed').length, 1);
  });
}

test('an enhanced code of another class than the basic one is ignored', (t) => {
  t.deepEqual(status('550 4.1.1 no\r\n'), { code: 550, enhanced: null, text: 'no' });
  t.deepEqual(status('550 5.1.1 no\r\n'), { code: 550, enhanced: '5.1.1', text: 'no' });
  t.is(status('550 5.1.1\r\n').enhanced, '5.1.1');
  t.is(status('550 5.1.1234 x\r\n').enhanced, null);
});

test('the text is one line of printable ASCII of at most 480 octets, without the enhanced code on each line', (t) => {
  const reply = status(`550-5.1.1 a\tb\r\n550-5.1.1 c\x00\x1b[31m\xe9\r\n550 5.1.1 ${'x'.repeat(600)}\r\n`);
  t.regex(reply.text, /^a b c\?\?\[31m\? x+$/);
  t.is(reply.text.length, 480);
});

test('a reply prints as its line', (t) => {
  t.is(printReply({ code: 550, enhanced: '5.1.1', text: 'No such user' }), '550 5.1.1 No such user');
  t.is(printReply({ code: 354, enhanced: null, text: 'Go ahead' }), '354 Go ahead');
});
