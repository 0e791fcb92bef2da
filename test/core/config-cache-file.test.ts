import { parseConfiguration } from '@callahead/core/config';
import test from 'ava';
import { atEnd } from '../support/bad-configurations.ts';
import { smallest } from '../support/configuration.ts';

/** As the file system says it of folders. */
function readText(file: string): Error {
  return new Error(file.endsWith('/var') ? 'EISDIR: illegal operation on a directory, read' : 'ENOENT: no such file');
}

const parse = (line: string) =>
  parseConfiguration(`${smallest}${line}\n`, { file: '/etc/callahead/callahead.yaml', env: {}, cores: 2, readText });

test('the cache is kept where the configuration says, beside it if it says so', (t) => {
  t.is(parse('').configuration.cacheFile, null);
  t.is(parse('cacheFile: var/cache.bin').configuration.cacheFile, '/etc/callahead/var/cache.bin');
  t.is(parse('cacheFile: /var/cache.bin').configuration.cacheFile, '/var/cache.bin');
});

test('a folder that is not there is found out at once', (t) => {
  t.throws(() => parse('cacheFile: none/cache.bin'), {
    message:
      /cacheFile: "none\/cache\.bin" has no folder \/etc\/callahead\/none: expected a path in an existing folder/,
  });
});

atEnd('a cache file has a name', 'cacheFile: ""', '15:12: cacheFile: "" is empty: expected a path');
