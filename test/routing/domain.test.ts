import type { Hop } from '@callahead/core';
import type { Hops } from '@callahead/routing';
import test from 'ava';
import { createDomainStage } from '../../packages/routing/src/domain.ts';
import { testStage } from '../contract/stage.ts';
import { requestFor } from '../support/routing.ts';

const stage = createDomainStage(() => 0);

function from(address: string): Readonly<{ at: Hops; request: ReturnType<typeof requestFor> }> {
  const request = requestFor(address);
  return { at: { kind: 'hops', recipient: request.recipient, named: 'recipient', hops: [] }, request };
}

function hopsOf(address: string): readonly Hop[] {
  const { at, request } = from(address);
  return stage(at, request).hops;
}

testStage(test, 'domain', async () => ({
  ...from('anna@example.com'),
  stage,
  silence: () => {},
  questions: () => 0,
  close: async () => {},
}));

test('the domain of the recipient is the host to look up, MX first', (t) => {
  t.deepEqual(hopsOf('anna@Example.COM'), [{ name: 'example.com', port: null, portFrom: 'default', lookup: 'mx' }]);
});

test('an address literal is looked up nowhere', (t) => {
  t.deepEqual(hopsOf('anna@[192.0.2.1]'), [{ name: '192.0.2.1', port: null, portFrom: 'default', lookup: 'none' }]);
  t.deepEqual(hopsOf('anna@[IPv6:2001:DB8:0::1]'), [
    { name: '2001:db8::1', port: null, portFrom: 'default', lookup: 'none' },
  ]);
});
