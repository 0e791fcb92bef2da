import test from 'ava';
import { staticRoute } from '../../packages/workers/src/index.ts';
import { load, smallest } from '../support/configuration.ts';

test('a static route has its servers in turns, ports and addresses apart', (t) => {
  const route = staticRoute({
    heloName: 'validator.example',
    servers: [{ host: '192.0.2.1' }, { host: '2001:db8::1', port: 2525 }, { host: 'mx.example', address: '192.0.2.2' }],
    profile: 'corp',
    probe: { maxConnectionsPerServer: 2 },
  });
  t.is(route.key, 'corp 192.0.2.1:25,[2001:db8::1]:2525,mx.example:25');
  t.is(route.within, 'rotate');
  t.like(route.probe, { heloName: 'validator.example', maxConnectionsPerServer: 2, mailFrom: '' });
  t.deepEqual(route.tiers[0]?.[2], {
    kind: 'tcp',
    host: 'mx.example',
    port: 25,
    targets: [{ name: 'mx.example', address: '192.0.2.2' }],
  });
});

test('what an embedder does not set is as in a configuration file that does not', (t) => {
  const { probe } = staticRoute({
    heloName: 'mx1.gateway.example',
    servers: [],
    probe: { selfNames: ['mx1.gateway.example'] },
  });
  t.deepEqual(probe, load(smallest).configuration.profiles.get('corp')?.probe);
});
