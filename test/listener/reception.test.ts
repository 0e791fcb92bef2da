import { EVERYBODY, type Event, type Policy } from '@callahead/core';
import test from 'ava';
import { createReception } from '../../packages/listener/src/smtp/reception.ts';
import { createUsage } from '../../packages/listener/src/usage.ts';
import { hostTable, policyOf } from '../support/hosts.ts';

function open(hostAccess = hostTable({ others: ['ALL'] })) {
  const events: Event[] = [];
  const usage = createUsage({ now: () => 0 });
  const reception = createReception({
    settings: { name: 'inbound', hostAccess },
    hostname: 'mx.gateway.example',
    namesOf: async () => [],
    usage,
    emit: (event) => void events.push(event),
  });
  const receive = (policy: Partial<Policy>) => {
    const admission = { group: 'some', entry: 'ALL', policy: policyOf('some', policy) };
    return reception.receive('session1', { address: '192.0.2.9', admission });
  };
  return { reception, receive, usage, events };
}

test('a client is greeted as its policy says', (t) => {
  const { receive } = open();
  t.like(receive({}).greeting, { reply: { code: 220, text: 'mx.gateway.example ESMTP' }, hangUp: false });
  t.like(receive({ action: 'relay' }).greeting, { reply: { code: 220 }, hangUp: false });
  t.like(receive({ action: 'reject' }).greeting, { reply: { code: 554, enhanced: '5.7.1' }, hangUp: false });
  t.is(receive({ action: 'refuse' }).greeting, null);
});

test('a client of which there are too many is sent away, and a rejected one does not even stay for its QUIT', (t) => {
  const { receive, usage, events } = open();
  const first = receive({ maxConnectionsPerHost: 1 });
  t.like(receive({ maxConnectionsPerHost: 1 }).greeting, { reply: { code: 421, enhanced: '4.7.0' }, hangUp: true });
  const rejected = receive({ action: 'reject', maxConnectionsPerHost: 1 });
  t.like(rejected.greeting, { reply: { code: 554 }, hangUp: true });
  rejected.leave();
  t.is(usage.size().open, 1);
  first.leave();
  t.is(usage.size().open, 0);
  const reasons = events.flatMap((event) => (event.event === 'session.refused' ? [event.reason] : []));
  t.deepEqual(reasons, ['connections', 'host']);
});

test('without host access everybody is admitted, and nothing is told of that', async (t) => {
  const events: Event[] = [];
  const { admit, receive } = createReception({
    settings: { name: 'inbound', hostAccess: null },
    hostname: 'mx.gateway.example',
    namesOf: () => t.fail() as never,
    usage: createUsage({ now: () => 0 }),
    emit: (event) => void events.push(event),
  });
  t.is(await admit('192.0.2.9'), EVERYBODY);
  t.is(receive('session1', { address: '192.0.2.9', admission: EVERYBODY }).greeting?.reply.code, 220);
  t.deepEqual(events, []);
});
