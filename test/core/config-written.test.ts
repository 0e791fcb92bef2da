import { configurationSchema } from '@callahead/core/config';
import test from 'ava';
import { HIDDEN, writtenConfiguration } from '../../packages/core/src/config/written.ts';
import { load, smallest } from '../support/configuration.ts';

test('a configuration is shown as it was written, with the defaults of what it leaves out', (t) => {
  const { written } = load(
    smallest.replace('servers: ex1.corp.example', 'servers: ex1.corp.example\n    cacheTtl: 10m'),
  ).configuration;
  t.like(written, {
    hostname: 'mx1.gateway.example',
    drainTimeout: '30s',
    callAheadProfiles: {
      corp: { servers: 'ex1.corp.example', cacheTtl: '10m', negativeCacheTtl: '300s', breaker: { failures: 5 } },
    },
    recipientAccess: { inbound: [{ match: 'example.com', action: 'accept', bypassCallAhead: false }] },
    engine: { threads: 'auto' },
  });
  t.false('admin' in written);
});

test('no secret is shown, wherever it stands', (t) => {
  const text = `${smallest}
ldap: {servers: {directory: {urls: "ldap://127.0.0.1", bindDn: "cn=gw", bindPassword: "s3cret-ldap"}}}
admin: {listen: "127.0.0.1:0", token: "s3cret-token-0123456"}
`.replace(
    'servers: ex1.corp.example',
    'servers: ex1.corp.example\n    tls: {mode: required}\n    auth: {user: gw, password: s3cret-auth}',
  );
  const shown = JSON.stringify(load(text).configuration.written);
  t.false(shown.includes('s3cret'), shown);
  t.is(shown.split(HIDDEN).length - 1, 3);
});

test('what stands in the environment stays there', (t) => {
  const text = smallest.replace('mx1.gateway.example', `\${NAME}`);
  const { configuration } = load(text, { NAME: 'mx9.gateway.example' });
  t.is(configuration.hostname, 'mx9.gateway.example');
  t.like(configuration.written, { hostname: `\${NAME}` });
});

test('the password inside a URL is hidden, and the path to a password is not', (t) => {
  const text = 'sharedCache: {url: "redis://gw:s3cret@127.0.0.1:6379", passwordFile: pw}';
  t.deepEqual(writtenConfiguration(text, {}), {
    sharedCache: { url: `redis://gw:${HIDDEN}@127.0.0.1:6379`, passwordFile: 'pw' },
  });
});

test('every key of the schema that can hold a secret is hidden by its name', (t) => {
  const secrets = JSON.stringify(configurationSchema()).match(/"(?:bindP|p)assword"|"token"/g);
  t.deepEqual([...new Set(secrets)].sort(), ['"bindPassword"', '"password"', '"token"']);
});
