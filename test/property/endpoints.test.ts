import { isIP } from 'node:net';
import { hostPort } from '@callahead/core';
import test from 'ava';
import fc from 'fast-check';
import { parseEndpoint, parseListenAddress } from '../../packages/core/src/config/endpoints.ts';

const host = fc.oneof(
  fc.ipV4().map((address) => ({ host: address, written: address, literal: true })),
  fc.ipV6().map((address) => ({
    host: new URL(`http://[${address}]`).hostname.slice(1, -1),
    written: `[${address}]`,
    literal: true,
  })),
  fc.domain().map((name) => ({ host: name.toLowerCase(), written: name, literal: false })),
);
const port = fc.integer({ min: 1, max: 65_535 });

test('a host with a port is taken apart, and says what it was', (t) => {
  fc.assert(
    fc.property(host, port, (one, number) => {
      const parsed = parseEndpoint(`${one.written}:${number}`);
      t.deepEqual(parsed, { kind: 'value', value: { host: one.host, port: number, literal: one.literal } });
    }),
  );
});

test('a host without a port has none', (t) => {
  fc.assert(
    fc.property(host, (one) => {
      t.deepEqual(parseEndpoint(one.written), {
        kind: 'value',
        value: { host: one.host, port: null, literal: one.literal },
      });
    }),
  );
});

test('what was read can be written and read again', (t) => {
  fc.assert(
    fc.property(host, port, (one, number) => {
      t.deepEqual(parseEndpoint(hostPort(one.host, number)), parseEndpoint(`${one.written}:${number}`));
    }),
  );
});

test('whatever the text, an endpoint is a fault or has a host that can be asked for and a port in range', (t) => {
  const nearly = fc.stringMatching(/^[[a-f0-9:.\]]{0,24}$/);
  fc.assert(
    fc.property(fc.oneof(fc.string(), nearly), (text) => {
      const parsed = parseEndpoint(text);
      if (parsed.kind === 'fault') return;
      const { host: name, port: number, literal } = parsed.value;
      t.is(isIP(name) > 0, literal);
      t.regex(name, /^[a-z\d.:-]+$/);
      t.true(number === null || (number >= 1 && number <= 65_535));
    }),
  );
});

test('bad ports and broken hosts are faults', (t) => {
  const bad = [
    '',
    ':25',
    'a.example:',
    'a.example:0',
    'a.example:65536',
    'a.example:x',
    'a.example:-1',
    'a.example: 25',
    'a.example:25:25',
    '[a.example]:25',
    '[::1',
    '::1',
    '[]:25',
    '[::1]25',
    '1.2.3',
    '300.1.1.1',
    '0x7f.1',
    'a..example',
    '-a.example',
    'a b.example',
  ];
  for (const text of bad) t.is(parseEndpoint(text).kind, 'fault', text);
});

test('only a socket to listen on may have port 0', (t) => {
  t.deepEqual(parseListenAddress('[::]:0'), { kind: 'value', value: { host: '::', port: 0 } });
  t.is(parseEndpoint('[::]:0').kind, 'fault');
  t.is(parseListenAddress('127.0.0.1:00').kind, 'fault');
});
