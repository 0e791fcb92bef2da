import type { Recipient } from '@callahead/core';
import test from 'ava';
import { type ReceivedFacts, receivedLine } from '../../packages/listener/src/received.ts';

const user: Recipient = { address: 'user@example.com', local: 'user', domain: 'example.com', utf8: false };
const other: Recipient = { address: 'other@example.com', local: 'other', domain: 'example.com', utf8: false };
const encryption = { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' };
const facts: ReceivedFacts = {
  helo: 'client.example',
  clientAddress: '192.0.2.7',
  hostname: 'mx1.gateway.example',
  extended: true,
  encryption: null,
  smtpUtf8: false,
  id: 'q1w2e3',
  recipients: [user],
  receivedAtMs: Date.UTC(2026, 10, 4, 3, 5, 6),
};

test('the line tells who, by whom, how, for whom and when', (t) => {
  t.is(
    receivedLine(facts),
    [
      'Received: from client.example ([192.0.2.7])',
      '\tby mx1.gateway.example with ESMTP id q1w2e3',
      '\tfor <user@example.com>;',
      '\tWed, 04 Nov 2026 03:05:06 +0000',
      '',
    ].join('\r\n'),
  );
});

test('TLS is told in a line of its own', (t) => {
  t.regex(
    receivedLine({ ...facts, encryption }),
    /\(\[192\.0\.2\.7\]\)\r\n\t\(using TLSv1\.3 with cipher TLS_AES_256_GCM_SHA384\)\r\n\tby \S+ with ESMTPS id/,
  );
});

test('several recipients do not learn of each other', (t) => {
  const line = receivedLine({ ...facts, recipients: [user, other] });
  t.notRegex(line, /for|user@|other@/);
  t.regex(line, /id q1w2e3;\r\n\tWed/);
});

test('the protocol is the registered one', (t) => {
  const protocol = (more: Partial<ReceivedFacts>) => / with (\S+) id/.exec(receivedLine({ ...facts, ...more }))?.[1];
  t.is(protocol({ extended: false }), 'SMTP');
  t.is(protocol({ encryption }), 'ESMTPS');
  t.is(protocol({ smtpUtf8: true }), 'UTF8SMTP');
  t.is(protocol({ smtpUtf8: true, encryption }), 'UTF8SMTPS');
});

test('an IPv6 client stands there as its address literal', (t) => {
  t.regex(receivedLine({ ...facts, clientAddress: '2001:db8::1' }), /\(\[IPv6:2001:db8::1\]\)/);
  t.regex(receivedLine({ ...facts, clientAddress: 'fe80::1%eth0' }), /\(\[IPv6:fe80::1\]\)/);
});

test('what a client calls itself cannot break out of the field', (t) => {
  for (const helo of ['a\r\nX: y', 'a b', 'a(', 'a;b', 'é.example', '', 'a'.repeat(300), '-', '[1.2.3.4']) {
    t.regex(receivedLine({ ...facts, helo }), /^Received: from \[192\.0\.2\.7\] \(\[192\.0\.2\.7\]\)\r\n\tby/);
  }
  t.regex(receivedLine({ ...facts, helo: '[192.0.2.9]' }), /^Received: from \[192\.0\.2\.9\] \(/);
});

test('a recipient beyond ASCII is left out', (t) => {
  const utf8: Recipient = { address: 'jörg@example.com', local: 'jörg', domain: 'example.com', utf8: true };
  t.notRegex(receivedLine({ ...facts, smtpUtf8: true, recipients: [utf8] }), /for /);
});

test('every line of the field is short enough and printable', (t) => {
  for (const line of receivedLine({ ...facts, encryption }).split('\r\n')) t.regex(line, /^[\t\x20-\x7e]{0,78}$/);
});
