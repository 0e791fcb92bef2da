import { isOfFamily, type LocalInterface, localAddressFor } from '@callahead/core';
import test from 'ava';

const INTERFACES = {
  eth0: ['192.0.2.7', 'fe80::7', '2001:db8::7', '2001:db8::8'],
  eth1: ['192.0.2.9', 'fe80::9'],
};

/** The address bound for a target, `-` where none is, or why it is skipped. */
function localFor(target: string, local: LocalInterface): string {
  const found = localAddressFor(target, local, () => INTERFACES);
  switch (found.kind) {
    case 'unbound':
      return '-';
    case 'bound':
      return found.address;
    case 'none':
      return found.detail;
  }
}

test('auto binds nothing', (t) => {
  t.is(localFor('192.0.2.1', { kind: 'auto' }), '-');
});

test("an interface gives its address of the target's family, never a link-local one", (t) => {
  t.is(localFor('192.0.2.1', { kind: 'name', name: 'eth0' }), '192.0.2.7');
  t.is(localFor('2001:db8::1', { kind: 'name', name: 'eth0' }), '2001:db8::7');
  t.is(localFor('2001:db8::1', { kind: 'name', name: 'eth1' }), 'the interface eth1 has no IPv6 address');
});

test('an interface that is not there has no address', (t) => {
  t.is(localFor('192.0.2.1', { kind: 'name', name: 'eth2' }), 'there is no interface eth2');
});

test('an address is for targets of its own family', (t) => {
  t.is(localFor('192.0.2.1', { kind: 'address', address: '192.0.2.200' }), '192.0.2.200');
  t.is(
    localFor('2001:db8::1', { kind: 'address', address: '192.0.2.200' }),
    '192.0.2.200 is of another address family',
  );
});

test('any family is right where none is asked for', (t) => {
  t.true(isOfFamily('192.0.2.1', 'any') && isOfFamily('2001:db8::1', 'any'));
  t.true(isOfFamily('192.0.2.1', 4) && isOfFamily('2001:db8::1', 6));
  t.false(isOfFamily('192.0.2.1', 6) || isOfFamily('2001:db8::1', 4));
});
