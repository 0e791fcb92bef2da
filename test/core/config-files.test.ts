import test from 'ava';
import { createFiles, linesOf } from '../../packages/core/src/config/files.ts';

function lines(text: string): readonly string[] {
  return [...linesOf(text)].map(({ text: said, line, column }) => `${line}:${column} ${said}`);
}

test('empty lines and comments say nothing, and the others keep their places', (t) => {
  t.deepEqual(lines('a\n\n  b  \n# c\n\td # e\n   # f\ng'), ['1:1 a', '3:3 b', '5:2 d', '7:1 g']);
});

test('# begins a comment only at the start of a line or behind a space', (t) => {
  t.deepEqual(lines('a#b@x # c # d\n#e@x'), ['1:1 a#b@x']);
});

test('a byte order mark, CRLF and a missing last line end are no part of a line', (t) => {
  t.deepEqual(lines('\ufeffa\r\nb\r\n'), ['1:1 a', '2:1 b']);
  t.deepEqual(lines(''), []);
});

test('a path starts at the folder of the configuration file, and each file is read once', (t) => {
  const asked: string[] = [];
  const files = createFiles('etc/callahead.yaml', (name) => {
    asked.push(name);
    return name.endsWith('gone') ? new Error('no such file') : `text of ${name}`;
  });
  t.deepEqual(files.open('tables/a'), { kind: 'read', name: 'etc/tables/a', text: 'text of etc/tables/a' });
  t.deepEqual(files.open('/a'), { kind: 'read', name: '/a', text: 'text of /a' });
  t.deepEqual(files.open('gone'), { kind: 'unreadable', name: 'etc/gone', why: 'no such file' });
  t.is(files.open('tables/a'), files.open('./tables/a'));
  t.deepEqual(asked, ['etc/tables/a', '/a', 'etc/gone']);
});
