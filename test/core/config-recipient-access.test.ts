import { atEnd } from '../support/bad-configurations.ts';

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
