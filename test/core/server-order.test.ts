import { type Server, serversInOrder } from '@callahead/core';
import test from 'ava';

function at(port: number): Server {
  return { kind: 'tcp', host: 'mx.example', port, targets: [{ name: 'mx.example', address: '192.0.2.1' }] };
}

function ports(servers: readonly Server[]): readonly (number | string)[] {
  return servers.map((server) => (server.kind === 'tcp' ? server.port : server.path));
}

const TIERS = [
  [at(1), at(2), at(3)],
  [at(4), at(5)],
];

test('servers of a tier take turns, and never change places with those of another', (t) => {
  const order = (step: number) => ports(serversInOrder({ tiers: TIERS, within: 'rotate' }, step, Math.random));
  t.deepEqual([0, 1, 2, 3].map(order), [
    [1, 2, 3, 4, 5],
    [2, 3, 1, 5, 4],
    [3, 1, 2, 4, 5],
    [1, 2, 3, 5, 4],
  ]);
});

test('chance decides where they are shuffled', (t) => {
  const draws = [0.9, 0.1, 0.5, 0.2, 0.1];
  const random = (): number => draws.shift() ?? 0;
  t.deepEqual(ports(serversInOrder({ tiers: TIERS, within: 'shuffle' }, 0, random)), [2, 3, 1, 5, 4]);
});

test('a server that is named twice is tried once, where it is best', (t) => {
  const tiers = [[at(1)], [], [at(2), at(1)]];
  t.deepEqual(ports(serversInOrder({ tiers, within: 'rotate' }, 1, Math.random)), [1, 2]);
});
