import test from 'ava';
import { load, problemsWith, smallest } from '../support/configuration.ts';

test('the key of hashed addresses comes from a file, without its line end, and nothing shows it', (t) => {
  const text = `${smallest}log: {addresses: hashed, addressKeyFile: key}\n`;
  const { log } = load(text, {}, { key: 'of ours\n' }).configuration;
  t.is(log.addresses, 'hashed');
  t.is(log.addressKey?.reveal(), 'of ours');
  const { configuration } = load(`${smallest}log: {addressKey: of ours}\n`);
  t.false(JSON.stringify([configuration.log, configuration.written]).includes('of ours'));
});

test('a key of hashed addresses is there, is not empty, and is given once', (t) => {
  const problems = (log: string, files = {}): readonly string[] => problemsWith(files, `${smallest}log: ${log}\n`);
  t.deepEqual(problems('{addressKeyFile: key}', { key: '\n' }), [
    'callahead.yaml:15:23: log.addressKeyFile: "key" is empty: expected a password',
  ]);
  t.deepEqual(problems('{addressKey: ""}'), ['callahead.yaml:15:19: log.addressKey: is empty: expected a text']);
  t.deepEqual(problems('{addressKey: a, addressKeyFile: key}', { key: 'b' }), [
    'callahead.yaml:15:19: log.addressKey: given twice: expected addressKey or addressKeyFile',
  ]);
});
