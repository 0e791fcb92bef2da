import type { Hops } from '@callahead/routing';
import test from 'ava';
import { createStaticStage } from '../../packages/routing/src/static.ts';
import { testStage } from '../contract/stage.ts';
import { deliveryOf, hopTo, profileOf, requestFor } from '../support/routing.ts';

const stage = createStaticStage(() => 0);
const servers = [hopTo('ex1.corp.example', 25), hopTo('ex2.corp.example', 9025), hopTo('2001:db8::1', null, 'none')];
const request = requestFor('anna@example.com', { profile: profileOf(servers) });
const at: Hops = {
  kind: 'hops',
  recipient: request.recipient,
  named: 'recipient',
  hops: [{ name: 'example.com', port: null, portFrom: 'default', lookup: 'mx' }],
};

testStage(test, 'static', async () => ({
  stage,
  at: structuredClone(at),
  request,
  silence: () => {},
  questions: () => 0,
  close: async () => {},
}));

test('a static profile names its own servers in the order of the file, each with its own port', (t) => {
  const next = stage(at, request);
  t.is(next.named, 'profile');
  t.deepEqual(next.hops, servers);
});

test('a profile that asks the delivery host leaves the domain as it is, and so does a listener without a profile', (t) => {
  t.is(stage(at, requestFor('anna@example.com')), at);
  t.is(stage(at, deliveryOf('anna@example.com')), at);
});

test('a host that somebody named already is kept', (t) => {
  const named: Hops = { ...at, named: 'operator', hops: [hopTo('mail.example.com')] };
  t.is(stage(named, request), named);
});
