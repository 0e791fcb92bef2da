import { existsSync, globSync, readFileSync } from 'node:fs';
import { configurationSchema } from '@callahead/core/config';
import test from 'ava';
import { keysOf, type Schema } from '../support/schema-keys.ts';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/hardening.md', root), 'utf8');
const rows = page.split('\n').flatMap((line) => {
  const [, client = '', happens = '', , settings = '', tests = ''] = line.split('|');
  return line.startsWith('| ') && client !== ' A client ' ? [{ client, happens, settings, tests }] : [];
});

function named(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
}

test('every row of the page about hostile clients says what happens, and names tests that there are', (t) => {
  t.true(rows.length > 40, `${rows.length} rows`);
  for (const { client, happens, tests } of rows) {
    t.not(happens.trim(), '', client);
    t.true(named(tests).length > 0, client);
    for (const path of named(tests)) t.true(existsSync(new URL(path, root)), `${client}: ${path}`);
  }
});

test('every reply it names is one that a test of the row waits for', (t) => {
  const unheard = rows.flatMap(({ client, happens, tests }) => {
    const text = named(tests)
      .map((path) => readFileSync(new URL(path, root), 'utf8').replaceAll('\\', ''))
      .join('');
    return named(happens).flatMap((reply) =>
      /^\d{3}/.test(reply) && !text.includes(reply) ? [`${client}: ${reply}`] : [],
    );
  });
  t.deepEqual(unheard, []);
});

test('every setting it names is a key of the configuration', (t) => {
  const keys = keysOf(configurationSchema() as Schema).map(([key]) => `.${key}`);
  const names = new Set(rows.flatMap(({ settings }) => named(settings)));
  t.true(names.size > 15);
  t.deepEqual(
    [...names].filter((name) => !keys.some((key) => key.endsWith(`.${name}`))),
    [],
  );
});

test('every dialogue with a hostile client is on it', (t) => {
  const dialogues = globSync('test/dialogues/hostile-*.test.ts', { cwd: root });
  t.true(dialogues.length > 5);
  t.deepEqual(
    dialogues.filter((path) => !page.includes(path)),
    [],
  );
});
