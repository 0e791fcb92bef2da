import test from 'ava';
import { EVERYBODY } from '../../packages/core/src/access/host-access.ts';
import { load, problemsIn, smallest } from '../support/configuration.ts';

const noNames = async (): Promise<readonly string[]> => [];

/** The smallest file with a table of hosts: its groups begin in line 19, its policies in the line behind them. */
function withTable(groups: readonly string[], policies: readonly string[], type = ''): string {
  const listener = smallest.replace(
    '    recipientAccess: inbound\n',
    `    recipientAccess: inbound\n    hostAccess: hosts\n${type}`,
  );
  const lines = [
    'hostAccess:',
    '  hosts:',
    '    senderGroups:',
    ...groups.map((group) => `      - ${group}`),
    '    policies:',
    ...policies.map((policy) => `      ${policy}`),
  ];
  return `${listener}${lines.join('\n')}\n`;
}

const ALL = '{name: others, match: ALL, policy: accepted}';
const ACCEPTED = 'accepted: {}';

function problems(title: string, groups: readonly string[], policies: readonly string[], ...expected: string[]): void {
  test(title, (t) => t.deepEqual(problemsIn(withTable(groups, policies)), expected));
}

async function admissionOf(address: string, text: string) {
  return load(text).configuration.listeners[0]?.hostAccess?.decide(address, noNames);
}

test('what a policy leaves out has the value that SPEC 2 shows', async (t) => {
  const admission = await admissionOf('192.0.2.1', withTable([ALL], [ACCEPTED]));
  t.deepEqual(admission, {
    group: 'others',
    entry: 'ALL',
    policy: {
      name: 'accepted',
      action: 'accept',
      response: null,
      maxConnectionsPerHost: 10,
      maxMessagesPerConnection: 10,
      maxRecipientsPerMessage: 1000,
      maxRecipientsPerHour: null,
      harvest: { ...EVERYBODY.policy.harvest, limit: 25 },
      bypassCallAhead: false,
      tls: 'optional',
    },
  });
});

test('every number of a policy may be unlimited', async (t) => {
  const keys = ['maxConnectionsPerHost', 'maxMessagesPerConnection', 'maxRecipientsPerMessage'];
  const all = [...keys, 'maxRecipientsPerHour', 'maxInvalidRecipientsPerHour'].map((key) => `${key}: unlimited`);
  const policy = (await admissionOf('192.0.2.1', withTable([ALL], [`accepted: {${all.join(', ')}}`])))?.policy;
  t.like(policy, {
    maxConnectionsPerHost: null,
    maxMessagesPerConnection: null,
    maxRecipientsPerMessage: null,
    maxRecipientsPerHour: null,
    harvest: { limit: null },
  });
});

test('replies take their enhanced code from their text, or are about policy', async (t) => {
  const groups = ['{name: one, match: 192.0.2.1, policy: one}', '{name: two, match: 192.0.2.2, policy: two}', ALL];
  const text = withTable(groups, [
    'one: {action: reject, response: {text: "5.7.25 No name"}, dhap: {code: 421, text: "4.7.0 Enough", disconnect: false}}',
    'two: {action: reject, response: {code: 450}}',
    ACCEPTED,
  ]);
  t.like((await admissionOf('192.0.2.1', text))?.policy, {
    response: { code: 554, enhanced: '5.7.25', text: 'No name' },
    // RFC 5321 §3.8: after a 421 the channel closes.
    harvest: { reply: { code: 421, enhanced: '4.7.0', text: 'Enough' }, disconnect: true },
  });
  t.like((await admissionOf('192.0.2.2', text))?.policy.response, {
    code: 450,
    enhanced: '4.7.1',
    text: 'Access denied',
  });
});

test('a listener without host access has none', (t) => {
  t.is(load(smallest).configuration.listeners[0]?.hostAccess, null);
});

problems('a table that says what becomes of everybody is without a doubt', [ALL], [ACCEPTED]);
problems('both families are everybody', ['{name: all, match: ["0.0.0.0/0", "::/0"], policy: accepted}'], [ACCEPTED]);
problems(
  'a table that leaves somebody out says what becomes of him',
  ['{name: some, match: ["10.", "::/0"], policy: accepted}'],
  [ACCEPTED],
  "19:7: warning: hostAccess.hosts.senderGroups: no group matches ALL, and whom none matches is accepted without a policy's limits: expected a last group with match: ALL",
);
problems(
  'what stands behind ALL is never reached',
  ['{name: all, match: [ALL, 10.0.0.1], policy: accepted}', '{name: late, match: 10.0.0.2, policy: accepted}'],
  [ACCEPTED],
  '19:28: warning: hostAccess.hosts.senderGroups[0].match: 10.0.0.1 is never reached, for it stands behind ALL: expected ALL last',
  '20:29: warning: hostAccess.hosts.senderGroups[1].match: 10.0.0.2 is never reached, for ALL stands before it: expected ALL last',
);
problems(
  'a group names a policy of its table',
  ['{name: all, match: ALL, policy: acepted}'],
  [ACCEPTED],
  '19:41: hostAccess.hosts.senderGroups[0].policy: "acepted" is not defined under policies: did you mean accepted?',
  '21:7: warning: hostAccess.hosts.policies.accepted: no sender group names this policy',
);
problems(
  'groups have names of their own',
  ['{name: others, match: 10.0.0.1, policy: accepted}', ALL],
  [ACCEPTED],
  '20:16: hostAccess.hosts.senderGroups[1].name: "others" is the name of another group: expected a name of its own',
);
problems(
  'a number that YAML reads as a number is no pattern',
  ['{name: ten, match: [10.], policy: accepted}', ALL],
  [ACCEPTED],
  '19:29: hostAccess.hosts.senderGroups[0].match[0]: 10 is not right: expected an address, address/prefix, 192.0.2.1-9, 192.168., a host name, .domain or ALL',
);
problems(
  'a pattern that is none is told with what would be right',
  ['{name: ten, match: [10.0.0.1/8], policy: accepted}', ALL],
  [ACCEPTED],
  '19:29: hostAccess.hosts.senderGroups[0].match[0]: "10.0.0.1/8" is no host pattern: it has bits behind its prefix: the network is 10.0.0.0/8',
);
problems(
  'a response belongs to a rejection',
  [ALL],
  ['accepted: {response: {text: Hello}}'],
  '21:18: hostAccess.hosts.policies.accepted.response: not allowed with action accept: expected it with action reject only',
);
problems(
  'fewer recipients than RFC 5321 asks for are doubtful',
  [ALL],
  ['accepted: {maxRecipientsPerMessage: 99}'],
  '21:43: warning: hostAccess.hosts.policies.accepted.maxRecipientsPerMessage: 99 is less than the 100 of RFC 5321 section 4.5.3.1.8',
);

for (const [written, message] of [
  ['maxConnectionsPerHost: 0', '0 is too small: expected 1..100000 or unlimited'],
  ['maxMessagesPerConnection: none', '"none" is not right: expected 1..1000000 or unlimited'],
  ['maxRecipientsPerHour: 1.5', '1.5 is not right: expected 1..10000000 or unlimited'],
  ['maxInvalidRecipientsPerHour: 1000001', '1000001 is too large: expected 1..1000000 or unlimited'],
  ['action: deny', '"deny" is not right: expected accept, reject, relay or refuse'],
  ['tls: maybe', '"maybe" is not right: expected off, optional or required'],
] as const) {
  const key = written.split(':')[0];
  test(`${written} is told to be wrong`, (t) => {
    const [first] = problemsIn(withTable([ALL], [`accepted: {${written}}`]));
    t.true(first?.endsWith(`hostAccess.hosts.policies.accepted.${key}: ${message}`), first);
  });
}

for (const [written, message] of [
  ['code: 250', 'code: 250 is too small: expected a reply code 400..559'],
  ['prefixV4: 0', 'prefixV4: 0 is too small: expected 1..32'],
  ['prefixV6: 129', 'prefixV6: 129 is too large: expected 1..128'],
  ['counts: []', 'counts: [] is empty: expected rat, unknown or refused, or a list of them'],
  ['counts: [temporary]', 'counts[0]: "temporary" is not right: expected rat, unknown or refused'],
  [
    'text: "5.7.1 No"',
    'text: "5.7.1 No" begins with an enhanced code of another class than 450: expected text, or 4.x.y and text',
  ],
] as const) {
  test(`dhap: {${written}} is told to be wrong`, (t) => {
    const [first] = problemsIn(withTable([ALL], [`accepted: {dhap: {${written}}}`]));
    t.true(first?.endsWith(`hostAccess.hosts.policies.accepted.dhap.${message}`), first);
  });
}

for (const entry of ['ALL', '0.0.0.0/0', '"::/0"', '64.0.0.0/2', '"2000::/3"', '.com']) {
  test(`letting ${entry} relay makes an open relay of a public listener`, (t) => {
    const groups = ['{name: own, match: "10.", policy: friend}', `{name: world, match: ${entry}, policy: friend}`, ALL];
    const told = problemsIn(withTable(groups, ['friend: {action: relay}', ACCEPTED])).filter((line) =>
      /relay/.test(line),
    );
    const written = entry.replaceAll('"', '');
    t.deepEqual(told, [
      `8:17: listeners.inbound.hostAccess: "hosts" makes an open relay, for it lets ${written} relay: expected your own hosts, relay: false or allowOpenRelay: true`,
    ]);
    const meant = withTable(groups, ['friend: {action: relay}', ACCEPTED], '    allowOpenRelay: true\n');
    t.deepEqual(
      problemsIn(meant).filter((line) => /relay/.test(line)),
      [],
    );
  });
}

problems(
  'own networks may relay, and what stands behind ALL is not asked',
  ['{name: own, match: ["10.", "172.16.0.0/12", "fc00::/7", mail.example.com], policy: friend}', ALL],
  ['friend: {action: relay}', ACCEPTED],
);

const PRIVATE = `
hostname: mx1.gateway.example
listeners:
  outbound:
    type: private
    listen: ["127.0.0.1:2525"]
    hostAccess: hosts
    postmaster: postmaster@example.com
hostAccess:
  hosts:
    senderGroups:
      - {name: own, match: "10.", policy: friend}
    policies:
      friend: {action: relay}
`.trimStart();

test('a private listener needs no recipient access, and whom no group matches may not send', (t) => {
  t.deepEqual(problemsIn(PRIVATE), [
    '11:7: warning: hostAccess.hosts.senderGroups: no group matches ALL, and whom none matches is rejected at RCPT: expected a last group with match: ALL',
  ]);
  t.like(load(PRIVATE).configuration.listeners[0], { type: 'private', profile: null });
});
