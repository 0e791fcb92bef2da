import { atEnd, inListener, inProfile, replaced } from '../support/bad-configurations.ts';

replaced('hostname is required', 'hostname: mx1.gateway.example\n', '', '1:1: hostname: missing: expected a host name');
replaced(
  'a host name is no address',
  'mx1.gateway.example',
  '192.0.2.1',
  '1:11: hostname: "192.0.2.1" is not a host name: expected a host name',
);
atEnd(
  'a misspelt section is unknown, and the right one is named',
  'delivry: {}',
  '15:1: delivry: unknown key: did you mean delivery?',
);
inProfile(
  'a misspelt key is unknown, and the right one is named',
  'cachettl: 900',
  '12:5: callAheadProfiles.corp.cachettl: unknown key: did you mean cacheTtl?',
);
atEnd(
  'a key that resembles none gets the list',
  'log: {color: red}',
  '15:7: log.color: unknown key: expected level, addresses, addressKey or addressKeyFile',
);
inListener(
  'unknown keys of limits are found too',
  'limits: {session: 5}',
  '8:14: listeners.inbound.limits.session: unknown key: did you mean sessions?',
);
inProfile(
  'a name has no blanks',
  'mode: enforce\n  not a name: {servers: a.example}',
  '13:3: callAheadProfiles.not a name: "not a name" is not right: expected a name of at most 64 letters, digits, ".", "_" and "-"',
);
atEnd('a section is a mapping', 'delivery: 5', '15:11: delivery: 5 is not right: expected keys and values');
inProfile(
  'a duration below its range',
  'cacheTtl: 30',
  '12:15: callAheadProfiles.corp.cacheTtl: 30 is too small: expected 60..86400 seconds',
);
inProfile(
  'a duration above its range',
  'validationTimeout: 5m',
  '12:24: callAheadProfiles.corp.validationTimeout: "5m" is too large: expected 1..240 seconds',
);
inProfile(
  'a duration with a strange unit',
  'connectTimeout: 3 weeks',
  '12:21: callAheadProfiles.corp.connectTimeout: "3 weeks" is not a duration: expected 0.1..240 seconds',
);
inProfile(
  'a duration that is no text and no number',
  'connectTimeout: true',
  '12:21: callAheadProfiles.corp.connectTimeout: true is not right: expected 0.1..240 seconds',
);
inProfile(
  'a number above its range',
  'maxConnectionsPerServer: 101',
  '12:30: callAheadProfiles.corp.maxConnectionsPerServer: 101 is too large: expected 1..100',
);
inProfile(
  'a number below its range',
  'cacheSize: 99',
  '12:16: callAheadProfiles.corp.cacheSize: 99 is too small: expected 100..1000000',
);
inProfile(
  'a number with a fraction',
  'cacheSize: 1000.5',
  '12:16: callAheadProfiles.corp.cacheSize: 1000.5 is not right: expected 100..1000000',
);
inProfile(
  'a number as a text',
  'cacheSize: "1000"',
  '12:16: callAheadProfiles.corp.cacheSize: "1000" is not right: expected 100..1000000',
);
inListener(
  'a size with a strange unit',
  'limits: {messageSize: 5 barrels}',
  '8:27: listeners.inbound.limits.messageSize: "5 barrels" is not a size: expected 1024..10737418240 octets',
);
atEnd('no threads at all', 'engine: {threads: 0}', '15:19: engine.threads: 0 is too small: expected auto or 1..256');
atEnd(
  'threads by a word',
  'engine: {threads: many}',
  '15:19: engine.threads: "many" is not right: expected auto or 1..256',
);
inProfile(
  'a flag that is a word',
  'foldLocalPart: maybe',
  '12:20: callAheadProfiles.corp.foldLocalPart: "maybe" is not right: expected true or false',
);
inProfile(
  'a word that is none of the possible ones',
  'mode: watch',
  '12:11: callAheadProfiles.corp.mode: "watch" is not right: expected enforce or monitor',
);
atEnd(
  'a resolver is an address',
  'dns: {servers: ns.example}',
  '15:16: dns.servers: "ns.example" names a host, not an address: expected address or address:port',
);
atEnd(
  'our further addresses are addresses',
  'self: {addresses: [10.0.0.256]}',
  '15:20: self.addresses[0]: "10.0.0.256" is not an IP address: expected an IP address',
);
