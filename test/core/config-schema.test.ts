import { readFile } from 'node:fs/promises';
import { configurationReference, configurationSchema } from '@callahead/core/config';
import test from 'ava';
import { keysOf, type Schema } from '../support/schema-keys.ts';

const schema = configurationSchema() as Schema;

test('every key of the schema has one sentence', (t) => {
  const keys = keysOf(schema);
  t.true(keys.length > 70);
  t.deepEqual(
    keys.filter(([, { description }]) => !/^\S.*[.]$/.test(description ?? '')).map(([key]) => key),
    [],
  );
});

test('the schema gives defaults as an operator would write them', (t) => {
  const defaults = new Map(keysOf(schema).map(([key, inner]) => [key, inner.default]));
  t.is(defaults.get('drainTimeout'), '30s');
  t.is(defaults.get('listeners.NAME.limits.messageSize'), '50MB');
  t.is(defaults.get('callAheadProfiles.NAME.onValidationFailure'), 'accept');
  t.is(defaults.get('callAheadProfiles.NAME.maxConnectionsPerServer'), 5);
  t.is(defaults.get('hostname'), undefined);
});

test('the schema is closed: no key is possible that it does not name', (t) => {
  t.false(schema.additionalProperties);
  t.false(schema.properties?.dns?.additionalProperties);
});

test('docs/configuration.md is what the schema says (npm run reference writes it)', async (t) => {
  const page = await readFile(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
  t.is(page, configurationReference());
});
