import test from 'ava';
import { inListener, replaced } from '../support/bad-configurations.ts';
import { problemsIn, smallest } from '../support/configuration.ts';

replaced(
  'a private listener has a host access table, and no profile',
  'type: public',
  'type: private',
  '3:3: listeners.inbound.hostAccess: missing: expected the name of a host access table, for the listener is private',
  '6:5: listeners.inbound.callAheadProfile: not allowed on a private listener: expected type public, or no profile',
);
replaced(
  'a listener has a type',
  '    type: public\n',
  '',
  '3:3: listeners.inbound.type: missing: expected public or private',
);
replaced(
  'a listener listens',
  '    listen: ["127.0.0.1:2525"]\n',
  '',
  '3:3: listeners.inbound.listen: missing: expected address:port, or a list of them',
);
replaced(
  'a listener listens somewhere',
  '["127.0.0.1:2525"]',
  '[]',
  '5:13: listeners.inbound.listen: [] is empty: expected at least one address:port',
);
replaced(
  'a socket has a port',
  '["127.0.0.1:2525"]',
  '127.0.0.1',
  '5:13: listeners.inbound.listen: "127.0.0.1" has no port: expected address:port',
);
replaced(
  'a socket is an address, not a name',
  '"127.0.0.1:2525"',
  'localhost:25',
  '5:14: listeners.inbound.listen[0]: "localhost:25" names a host, not an address: expected address:port',
);
replaced(
  'a socket is listened on once',
  '["127.0.0.1:2525"]',
  '["127.0.0.1:2525", "127.0.0.1:2525"]',
  '5:32: listeners.inbound.listen[1]: "127.0.0.1:2525" is taken by listener inbound: expected another address or port',
);
replaced(
  'the profile of a listener is defined',
  'callAheadProfile: corp',
  'callAheadProfile: crop',
  '6:23: listeners.inbound.callAheadProfile: "crop" is not defined under callAheadProfiles: expected corp',
);
replaced(
  'the table of a listener is defined',
  '    recipientAccess: inbound',
  '    recipientAccess: inbond',
  '7:22: listeners.inbound.recipientAccess: "inbond" is not defined under recipientAccess: did you mean inbound?',
);
replaced(
  'a public listener has a table',
  '    recipientAccess: inbound\n',
  '',
  '3:3: listeners.inbound.recipientAccess: missing: expected the name of a recipient access table',
);
replaced(
  'a listener that relays has a postmaster',
  '    postmaster: postmaster@example.com\n',
  '',
  '3:3: listeners.inbound.postmaster: missing: expected user@domain, for the listener relays',
);
replaced(
  'the postmaster is an address',
  'postmaster@example.com',
  'postmaster',
  '8:17: listeners.inbound.postmaster: "postmaster" has no domain: expected user@domain',
);
replaced(
  'a table that takes everything makes an open relay',
  'match: example.com',
  'match: [example.com, ALL]',
  '7:22: listeners.inbound.recipientAccess: "inbound" makes an open relay, for it accepts ALL: expected your own domains, relay: false or allowOpenRelay: true',
);
replaced(
  'a table that takes a public suffix makes an open relay',
  'match: example.com',
  'match: .co.uk',
  '7:22: listeners.inbound.recipientAccess: "inbound" makes an open relay, for it accepts .co.uk: expected your own domains, relay: false or allowOpenRelay: true',
);
inListener(
  'fewer recipients than RFC 5321 asks for are doubtful',
  'limits: {recipientsPerMessage: 50}',
  '8:36: warning: listeners.inbound.limits.recipientsPerMessage: 50 is less than the 100 of RFC 5321 section 4.5.3.1.8',
);

test('two listeners cannot share a socket, however it is written', (t) => {
  const listener = (name: string, socket: string) =>
    `  ${name}: {type: public, relay: false, recipientAccess: all, listen: "${socket}"}\n`;
  const text = `hostname: a.example\nrecipientAccess: {all: [{match: ALL, action: accept}]}\nlisteners:\n${listener('one', '[::1]:25')}${listener('two', '[0::1]:25')}`;
  t.deepEqual(problemsIn(text), [
    '5:67: listeners.two.listen: "[::1]:25" is taken by listener one: expected another address or port',
  ]);
});

test('a name like a part of every object is a name like any other', (t) => {
  const text = smallest.replace('callAheadProfile: corp', 'callAheadProfile: constructor');
  t.deepEqual(problemsIn(text), [
    '6:23: listeners.inbound.callAheadProfile: "constructor" is not defined under callAheadProfiles: expected corp',
  ]);
});
