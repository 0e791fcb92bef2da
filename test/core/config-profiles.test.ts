import { inProfile, replaced } from '../support/bad-configurations.ts';

const servers = '    servers: ex1.corp.example\n';

replaced(
  'a static profile names servers',
  servers,
  '    mode: enforce\n',
  '10:3: callAheadProfiles.corp.servers: missing: expected servers, for serverType is static',
);
inProfile(
  'a profile that asks the delivery host names none',
  'serverType: delivery-host',
  '11:5: callAheadProfiles.corp.servers: not allowed with serverType delivery-host: expected serverType static, or no servers',
);
replaced(
  'a server has no port 0',
  'ex1.corp.example\n',
  'a.example, b.example:0\n',
  '11:14: callAheadProfiles.corp.servers: "b.example:0" has the bad port 0 (1..65535 is right): expected host, host:port, [IPv6], [IPv6]:port or unix:/path',
);
replaced(
  'a server has no port 65536',
  'ex1.corp.example\n',
  '[a.example, "b.example:65536"]\n',
  '11:26: callAheadProfiles.corp.servers[1]: "b.example:65536" has the bad port 65536 (1..65535 is right): expected host, host:port, [IPv6], [IPv6]:port or unix:/path',
);
replaced(
  'a port is a number',
  'ex1.corp.example\n',
  'a.example:x\n',
  '11:14: callAheadProfiles.corp.servers: "a.example:x" has the bad port x (1..65535 is right): expected host, host:port, [IPv6], [IPv6]:port or unix:/path',
);
replaced(
  'an IPv6 server stands in brackets',
  'ex1.corp.example\n',
  '"2001:db8::1"\n',
  '11:14: callAheadProfiles.corp.servers: "2001:db8::1" needs brackets, [2001:db8::1]: expected host, host:port, [IPv6], [IPv6]:port or unix:/path',
);
replaced(
  'between commas stands a server',
  'ex1.corp.example\n',
  '"a.example,,b.example"\n',
  '11:14: callAheadProfiles.corp.servers: "" is empty: expected host, host:port, [IPv6], [IPv6]:port or unix:/path',
);
replaced(
  'a list of servers has one',
  'ex1.corp.example\n',
  '[]\n',
  '11:14: callAheadProfiles.corp.servers: [] is empty: expected at least one host[:port]',
);
inProfile(
  'mailFrom is an address',
  'mailFrom: callahead',
  '12:15: callAheadProfiles.corp.mailFrom: "callahead" is not an address: expected an address, or "" for the null sender',
);
inProfile(
  'codes that mean "no such user" are 5yz',
  'unknownRecipientCodes: [550, 450, 4.1.1]',
  '12:34: callAheadProfiles.corp.unknownRecipientCodes[1]: "450" is not right: expected 5yz or 5.y.z',
  '12:39: callAheadProfiles.corp.unknownRecipientCodes[2]: "4.1.1" is not right: expected 5yz or 5.y.z',
);
inProfile(
  'an unknown recipient cannot be accepted',
  'onUnknown: accept',
  '12:16: callAheadProfiles.corp.onUnknown: "accept" is not right: expected reject or {code, text, disconnect}',
);
inProfile(
  'a reply has a code and a text',
  'onUnknown: {}',
  '12:5: callAheadProfiles.corp.onUnknown.code: missing: expected a reply code 400..559',
  '12:5: callAheadProfiles.corp.onUnknown.text: missing: expected one line of printable ASCII, at most 480 octets',
);
inProfile(
  'a reply is 4yz or 5yz',
  'onUnknown: {code: 250, text: fine}',
  '12:23: callAheadProfiles.corp.onUnknown.code: 250 is too small: expected a reply code 400..559',
);
inProfile(
  'no reply code is 4.60 and more',
  'onUnknown: {code: 499, text: fine}',
  '12:23: callAheadProfiles.corp.onUnknown.code: 499 is not right: expected a reply code 400..559',
);
inProfile(
  'the enhanced code of a reply is of its class',
  'onUnknown: {code: 550, text: "4.1.1 No"}',
  '12:34: callAheadProfiles.corp.onUnknown.text: "4.1.1 No" begins with an enhanced code of another class than 550: expected text, or 5.x.y and text',
);
inProfile(
  'a reply is more than its enhanced code',
  'onUnknown: {code: 550, text: "5.1.1"}',
  '12:34: callAheadProfiles.corp.onUnknown.text: "5.1.1" has no words after its enhanced code: expected text, or 5.x.y and text',
);
inProfile(
  'a reply is one line',
  'onUnknown: {code: 550, text: "No\\r\\n250 Yes"}',
  '12:34: callAheadProfiles.corp.onUnknown.text: "No\\r\\n250 Yes" is not right: expected one line of printable ASCII, at most 480 octets',
);
inProfile(
  'a reply is ASCII',
  'onUnknown: {code: 550, text: Unzustellbär}',
  '12:34: callAheadProfiles.corp.onUnknown.text: "Unzustellbär" is not right: expected one line of printable ASCII, at most 480 octets',
);
inProfile(
  'a misspelt key of a reply is unknown',
  'onUnknown: {code: 550, text: No, disconect: true}',
  '12:38: callAheadProfiles.corp.onUnknown.disconect: unknown key: did you mean disconnect?',
);

inProfile(
  'a remembered answer is not asked anew all the time',
  'refreshAhead: 15m',
  '12:19: callAheadProfiles.corp.refreshAhead: "15m" is no less than cacheTtl: expected less',
);
