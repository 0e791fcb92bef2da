import test from 'ava';
import { similar } from '../../packages/core/src/config/similar.ts';

const keys = ['cacheSize', 'cacheTtl', 'mode', 'servers'];

test('a letter too few or too many, or two of them swapped, still finds the word', (t) => {
  t.is(similar('cachTtl', keys), 'cacheTtl');
  t.is(similar('serverss', keys), 'servers');
  t.is(similar('cacheTlt', keys), 'cacheTtl');
});

test('upper and lower case are one', (t) => {
  t.is(similar('CACHETTL', keys), 'cacheTtl');
});

test('a word that resembles none finds none', (t) => {
  t.is(similar('colour', keys), null);
  t.is(similar('x'.repeat(10_000), keys), null);
});
