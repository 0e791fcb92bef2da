import test from 'ava';
import { openRelay } from '../../packages/core/src/access/open-relay.ts';
import type { AccessEntry } from '../../packages/core/src/access/recipient-access.ts';
import { accessPatterns } from '../support/recipients.ts';

function accept(...texts: readonly string[]): AccessEntry {
  return { action: 'accept', patterns: accessPatterns(...texts), bypassCallAhead: false, profile: null };
}

function reject(...texts: readonly string[]): AccessEntry {
  return { action: 'reject', patterns: accessPatterns(...texts), reply: null };
}

for (const pattern of ['ALL', 'com', '.com', '.uk', '.co.uk', 'co.uk', '.CO.UK', '.kawasaki.jp', '.рф']) {
  test(`accepting ${pattern} is an open relay`, (t) => {
    t.is(openRelay([accept('example.com'), accept('user@example.net', pattern), reject('ALL')]), pattern);
  });
}

for (const pattern of [
  'example.com',
  '.example.co.uk',
  'user@com',
  'user@',
  '.github.io',
  'internal',
  '.corp',
  'localhost',
  'user@[192.0.2.1]',
]) {
  test(`accepting ${pattern} is no open relay`, (t) => t.is(openRelay([accept(pattern)]), null));
}

test('refusing everybody is no open relay, nor is what stands behind it', (t) => {
  t.is(openRelay([]), null);
  t.is(openRelay([reject('ALL')]), null);
  t.is(openRelay([accept('example.com'), reject('ALL'), accept('ALL')]), null);
  t.is(openRelay([reject('com'), accept('ALL')]), 'ALL');
});
