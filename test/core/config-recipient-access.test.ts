import test from 'ava';
import { atEnd } from '../support/bad-configurations.ts';
import { load, problemsWith, smallest } from '../support/configuration.ts';
import { recipientOf } from '../support/recipients.ts';

atEnd(
  'a pattern has no wildcards',
  '    - {match: ["*.example.com"], action: accept}',
  '15:16: recipientAccess.inbound[1].match[0]: "*.example.com" is no recipient pattern: there are no wildcards: write domain, .domain or ALL',
);
atEnd(
  'an entry has an action',
  '    - {match: ALL}',
  '15:7: recipientAccess.inbound[1].action: missing: expected accept or reject',
);
atEnd(
  'an entry matches something',
  '    - {action: accept}',
  '15:7: recipientAccess.inbound[1].match: missing: expected user@domain, domain, .domain, user@, user@[ip] or ALL, or a list of them',
);
atEnd(
  'a response belongs to a rejection',
  '    - {match: a.example, action: accept, response: {code: 550}}',
  '15:42: recipientAccess.inbound[1].response: not allowed with action accept: expected it with action reject only',
);
atEnd(
  'a bypass belongs to an acceptance',
  '    - {match: a.example, action: reject, bypassCallAhead: true}',
  '15:42: recipientAccess.inbound[1].bypassCallAhead: not allowed with action reject: expected it with action accept only',
);
atEnd(
  'an entry names a profile that there is',
  '    - {match: a.example, action: accept, callAheadProfile: crop}',
  '15:60: recipientAccess.inbound[1].callAheadProfile: "crop" is not defined under callAheadProfiles: expected corp',
);
atEnd(
  'a profile belongs to an acceptance',
  '    - {match: a.example, action: reject, callAheadProfile: corp}',
  '15:42: recipientAccess.inbound[1].callAheadProfile: not allowed with action reject: expected it with action accept only',
);
atEnd(
  'who is not asked about needs no profile',
  '    - {match: a.example, action: accept, callAheadProfile: corp, bypassCallAhead: true}',
  '15:42: recipientAccess.inbound[1].callAheadProfile: not allowed with bypassCallAhead: expected one of the two',
);

const FROM_FILE = `${smallest}    - {match: second.example, matchFile: people.txt, action: accept, callAheadProfile: corp}\n`;

function entryFor(address: string, files: Readonly<Record<string, string>>, text = FROM_FILE) {
  return load(text, {}, files).configuration.listeners[0]?.recipientAccess.decide(recipientOf(address));
}

test('a file adds patterns to its entry, one a line', (t) => {
  const files = {
    'people.txt': '# staff\nanna@third.example\r\n\n  bert@third.example # left\nc#d@third.example\nwork@',
  };
  for (const address of ['anna@third.example', 'bert@third.example', 'c#d@third.example', 'x@second.example']) {
    t.is(entryFor(address, files)?.kind, 'accept', address);
  }
  t.is(entryFor('work@example.com', files)?.entry, 'example.com');
  t.is(entryFor('else@third.example', files)?.kind, 'reject');
});

test('a decision carries the profile that its entry names, and none where it names none', (t) => {
  const files = { 'people.txt': 'anna@third.example' };
  t.like(entryFor('anna@third.example', files), { entry: 'anna@third.example', profile: { name: 'corp' } });
  t.like(entryFor('x@example.com', files), { entry: 'example.com', profile: null });
});

test('every bad line of the file is told with its place in that file, once', (t) => {
  const twice = `${FROM_FILE}    - {matchFile: people.txt, action: reject}\n`;
  t.deepEqual(problemsWith({ 'people.txt': 'anna@third.example\n *.example\n@x\n' }, twice), [
    'people.txt:2:2: "*.example" is no recipient pattern: there are no wildcards: write domain, .domain or ALL',
    'people.txt:3:1: "@x" is no recipient pattern: for every user of a domain write the domain without @',
  ]);
});

test('a file that cannot be read is blamed on the key that names it', (t) => {
  t.deepEqual(problemsWith({}, FROM_FILE), [
    `callahead.yaml:15:42: recipientAccess.inbound[1].matchFile: "people.txt" cannot be read (ENOENT: no such file, open 'people.txt'): expected a text file`,
  ]);
});

test('a file can make an open relay', (t) => {
  t.deepEqual(problemsWith({ 'people.txt': 'anna@third.example\nall\n' }, FROM_FILE), [
    'callahead.yaml:7:22: listeners.inbound.recipientAccess: "inbound" makes an open relay, for it accepts all: expected your own domains, relay: false or allowOpenRelay: true',
  ]);
});
