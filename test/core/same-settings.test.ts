import { sameSettings, secretOf } from '@callahead/core';
import test from 'ava';

const SETTINGS = { name: 'corp', list: [1, { deep: null }], map: new Map([['a', 1]]), set: new Set(['x']) };

test('settings are the same to their depth', (t) => {
  t.true(sameSettings(SETTINGS, structuredClone(SETTINGS)));
});

test('whatever differs makes them others', (t) => {
  const others = [
    { ...SETTINGS, name: 'other' },
    { ...SETTINGS, more: undefined },
    { ...SETTINGS, list: [1, { deep: undefined }] },
    { ...SETTINGS, list: { 0: 1, 1: { deep: null } } },
    { ...SETTINGS, map: new Map([['a', 2]]) },
    { ...SETTINGS, set: new Set(['y']) },
    { name: 'corp', list: [1, { deep: null }], map: SETTINGS.map, sett: SETTINGS.set },
    null,
  ];
  for (const other of others) {
    t.false(sameSettings(SETTINGS, other));
    t.false(sameSettings(other, SETTINGS));
  }
});

test('a secret is what it says, not what it shows', (t) => {
  t.true(sameSettings({ password: secretOf('a') }, { password: secretOf('a') }));
  t.false(sameSettings({ password: secretOf('a') }, { password: secretOf('b') }));
  t.false(sameSettings({ password: secretOf('a') }, { password: {} }));
});
