import { problemLine } from '@callahead/core';
import { parseConfiguration } from '@callahead/core/config';
import test from 'ava';
import { inProfile } from '../support/bad-configurations.ts';
import { smallest } from '../support/configuration.ts';

const INTERFACES = { lo: ['127.0.0.1', '::1'], eth0: ['192.0.2.7', '2001:DB8::7'] };

function withInterface(input: string) {
  const text = smallest.replace('    servers:', `    interface: "${input}"\n    servers:`);
  return parseConfiguration(text, { file: 'callahead.yaml', env: {}, cores: 1, interfaces: INTERFACES });
}

function warnings(input: string): readonly string[] {
  return withInterface(input).warnings.map((warning) => problemLine('', warning).slice(1));
}

test('an interface is auto, a name or an address, without its zone', (t) => {
  const read = (input: string) => withInterface(input).configuration.profiles.get('corp')?.probe.interface;
  t.deepEqual(read('auto'), { kind: 'auto' });
  t.deepEqual(read('eth0'), { kind: 'name', name: 'eth0' });
  t.deepEqual(read('192.0.2.7'), { kind: 'address', address: '192.0.2.7' });
  t.deepEqual(read('2001:DB8:0::7%eth0'), { kind: 'address', address: '2001:db8::7' });
});

test('what this machine has is right, and so is every address of loopback', (t) => {
  for (const input of ['auto', 'eth0', '192.0.2.7', '2001:db8::7', '127.0.0.2']) t.deepEqual(warnings(input), []);
});

test('an interface or address that this machine does not have is doubtful, no error', (t) => {
  t.deepEqual(warnings('eth1'), [
    '11:16: warning: callAheadProfiles.corp.interface: "eth1" is no interface of this machine now: expected auto, lo, eth0 or a local address',
  ]);
  t.deepEqual(warnings('192.0.2.8'), [
    '11:16: warning: callAheadProfiles.corp.interface: "192.0.2.8" is no address of this machine now: expected auto, lo, eth0 or a local address',
  ]);
});

test('the interface of deliveries is looked at too', (t) => {
  const text = `${smallest}delivery:\n  interface: eth1\n`;
  const options = { file: 'callahead.yaml', env: {}, cores: 1, interfaces: INTERFACES };
  const { configuration, warnings: doubts } = parseConfiguration(text, options);
  t.deepEqual(configuration.delivery.interface, { kind: 'name', name: 'eth1' });
  t.is(doubts.length, 1);
});

inProfile(
  'what cannot be the name of an interface is none',
  'interface: a name with spaces',
  '12:16: callAheadProfiles.corp.interface: "a name with spaces" is no name of an interface: expected auto, the name of an interface, or a local address',
);
