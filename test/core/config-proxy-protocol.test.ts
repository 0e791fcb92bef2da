import test from 'ava';
import { inListener } from '../support/bad-configurations.ts';
import { load, smallest } from '../support/configuration.ts';

const proxiesOf = (line: string) =>
  load(smallest.replace('    postmaster:', () => `    ${line}\n    postmaster:`)).configuration.listeners[0]
    ?.proxyProtocol;

test('there is no proxy where none is named', (t) => {
  t.is(load(smallest).configuration.listeners[0]?.proxyProtocol, null);
});

test('proxies are addresses and networks, one or a list', (t) => {
  t.deepEqual(proxiesOf('proxyProtocol: {trusted: 127.0.0.9}'), { trusted: [{ address: '127.0.0.9', prefix: 32 }] });
  t.deepEqual(proxiesOf('proxyProtocol: {trusted: ["192.0.2.0/24", "2001:DB8:0::/48", "::1"]}'), {
    trusted: [
      { address: '192.0.2.0', prefix: 24 },
      { address: '2001:db8::', prefix: 48 },
      { address: '::1', prefix: 128 },
    ],
  });
});

inListener(
  'a listener for proxies names them',
  'proxyProtocol: {}',
  '8:5: listeners.inbound.proxyProtocol.trusted: missing: expected IP addresses or networks',
);
inListener(
  'a list of proxies has one',
  'proxyProtocol: {trusted: []}',
  '8:30: listeners.inbound.proxyProtocol.trusted: [] is empty: expected an IP address or a network such as 192.0.2.0/24',
);
inListener(
  'a proxy is an address, not a name',
  'proxyProtocol: {trusted: [proxy.example]}',
  '8:31: listeners.inbound.proxyProtocol.trusted[0]: "proxy.example" is neither an address nor a network: expected an IP address or a network such as 192.0.2.0/24',
);
inListener(
  'a network has no more bits than its addresses',
  'proxyProtocol: {trusted: [192.0.2.0/33]}',
  '8:31: listeners.inbound.proxyProtocol.trusted[0]: "192.0.2.0/33" has more than 32 bits: expected an IP address or a network such as 192.0.2.0/24',
);
inListener(
  'a network of everybody is doubtful',
  'proxyProtocol: {trusted: 0.0.0.0/0}',
  '8:30: warning: listeners.inbound.proxyProtocol.trusted: "0.0.0.0/0" lets every client say that it is another: expected the addresses of your proxies',
);
