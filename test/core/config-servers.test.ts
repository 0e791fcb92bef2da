import test from 'ava';
import { inProfile, replaced } from '../support/bad-configurations.ts';
import { load, smallest } from '../support/configuration.ts';

const servers = '    servers: ex1.corp.example\n';

function profileOf(lines: string) {
  const profile = load(smallest.replace(servers, lines)).configuration.profiles.get('corp');
  if (profile === undefined) throw new Error('no profile corp');
  return profile;
}

test('with protocol lmtp a server may be a unix socket', (t) => {
  const profile = profileOf(
    '    protocol: lmtp\n    servers: "unix:/run/dovecot/lmtp, ex1.corp.example, 192.0.2.1:2424"\n',
  );
  t.is(profile.probe.protocol, 'lmtp');
  t.deepEqual(profile.servers.kind === 'static' && profile.servers.hops, [
    { name: '/run/dovecot/lmtp', port: null, portFrom: 'static', lookup: 'unix' },
    { name: 'ex1.corp.example', port: null, portFrom: 'default', lookup: 'mx' },
    { name: '192.0.2.1', port: 2424, portFrom: 'static', lookup: 'none' },
  ]);
});

test('an address family is a number, or its digit as a variable of the environment gives it', (t) => {
  t.is(profileOf(`${servers}    ipFamily: 6\n`).probe.ipFamily, 6);
  t.is(profileOf(`${servers}    ipFamily: "4"\n`).probe.ipFamily, 4);
});

test('servers of the wanted family are right', (t) => {
  t.is(profileOf('    ipFamily: 6\n    servers: "[2001:db8::1], ex1.corp.example"\n').probe.ipFamily, 6);
});

replaced(
  'a unix socket does not speak SMTP',
  'ex1.corp.example\n',
  '"ex1.corp.example, unix:/run/lmtp"\n',
  '11:14: callAheadProfiles.corp.servers: "unix:/run/lmtp" is a unix socket: expected protocol lmtp, or host[:port]',
);
replaced(
  'the path of a unix socket is absolute',
  'ex1.corp.example\n',
  '"unix:run/lmtp"\n    protocol: lmtp\n',
  '11:14: callAheadProfiles.corp.servers: "unix:run/lmtp" has no absolute path: expected host, host:port, [IPv6], [IPv6]:port or unix:/path',
);
replaced(
  'the path of a unix socket is one that the system takes',
  'ex1.corp.example\n',
  `unix:/${'x'.repeat(107)}\n    protocol: lmtp\n`,
  `11:14: callAheadProfiles.corp.servers: "unix:/${'x'.repeat(70)}... has a path of more than 107 octets: expected host, host:port, [IPv6], [IPv6]:port or unix:/path`,
);
replaced(
  'an address of the other family could never be asked',
  'ex1.corp.example\n',
  '["[2001:db8::1]", 192.0.2.1]\n    ipFamily: 6\n',
  '11:32: callAheadProfiles.corp.servers[1]: "192.0.2.1" is an IPv4 address: expected an IPv6 one, for ipFamily is 6',
);
replaced(
  'an address of another family than the local one could never be asked',
  'ex1.corp.example\n',
  '"[2001:db8::1]:2525"\n    interface: 192.0.2.7\n',
  '11:14: callAheadProfiles.corp.servers: "[2001:db8::1]:2525" is an IPv6 address: expected an IPv4 one, for interface is 192.0.2.7',
);
inProfile(
  'there are two address families',
  'ipFamily: 5',
  '12:15: callAheadProfiles.corp.ipFamily: 5 is not right: expected any, 4 or 6',
);
inProfile(
  'there are two protocols',
  'protocol: qmtp',
  '12:15: callAheadProfiles.corp.protocol: "qmtp" is not right: expected smtp or lmtp',
);
