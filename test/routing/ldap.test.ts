import type { Flush, Profile, Step } from '@callahead/core';
import type { Hops } from '@callahead/routing';
import test, { type ExecutionContext } from 'ava';
import type { Ldap } from '../../packages/routing/src/ldap.ts';
import { testStage } from '../contract/stage.ts';
import { type FakeDirectory, type FakeEntry, startFakeDirectory } from '../support/fake-directory.ts';
import { directoryAt, ldapWith, routingOf, type Templates } from '../support/ldap.ts';
import { recipientOf } from '../support/recipients.ts';
import { deliveryOf, hopTo, profileOf, requestFor, wordsOf } from '../support/routing.ts';

const STATIC = profileOf([hopTo('ex1.corp.example', 25)]);

function startAt(address: string): Hops {
  const recipient = recipientOf(address);
  const hops = [{ name: recipient.domain, port: null, portFrom: 'default', lookup: 'mx' }] as const;
  return { kind: 'hops', recipient, named: 'recipient', hops };
}

function entry(attributes: FakeEntry['attributes'], dn = 'cn=one'): FakeEntry {
  return { dn, attributes };
}

type Opened = Readonly<{
  fake: FakeDirectory;
  ldap: Ldap;
  events: ReturnType<typeof ldapWith>['events'];
  clock: { skippedMs: number };
  ask(address: string, profile?: Profile): Promise<string>;
  deliver(address: string): Promise<string>;
}>;

type Opening = Readonly<{
  entries?: readonly FakeEntry[];
  over?: Parameters<typeof routingOf>[1];
  server?: Parameters<typeof directoryAt>[1];
  templates?: Templates;
}>;

async function open(t: ExecutionContext, { entries = [], over, server, templates }: Opening): Promise<Opened> {
  const fake = await startFakeDirectory({ entries });
  const clock = { skippedMs: 0 };
  const now = (): number => performance.now() + clock.skippedMs;
  const routing = routingOf(directoryAt([fake.port], server), over, templates);
  const { ldap, events } = ldapWith(routing, now);
  t.teardown(async () => {
    await ldap.close();
    await fake.stop();
  });
  return {
    fake,
    ldap,
    events,
    clock,
    ask: async (address, profile = profileOf(null)) =>
      summary(await ldap.ask(startAt(address), requestFor(address, { profile, now }))),
    deliver: async (address) =>
      summary(await ldap.deliver(startAt(address), { ...deliveryOf(address), deadlineMs: now() + 10_000 })),
  };
}

/** `recipient -> hosts`, or the verdict with its detail. */
function summary(to: Awaited<ReturnType<Ldap['ask']>>): string {
  if (to.kind === 'known') {
    const detail = to.verdict.kind === 'failed' ? to.verdict.detail : '';
    return `${wordsOf(to.verdict)}: ${detail}`;
  }
  const hosts = to.hops.map((hop) => (hop.portFrom === 'ldap' ? `${hop.name}:${hop.port}` : hop.name));
  return `${to.recipient.address} -> ${to.named} ${hosts.join(' ')}`;
}

testStage(test, 'ldap', async () => {
  const fake = await startFakeDirectory({ entries: [entry({ mailHost: ['mx.example'] })] });
  const { ldap } = ldapWith(routingOf(directoryAt([fake.port])));
  return {
    stage: ldap.ask,
    at: startAt('anna@example.com'),
    request: requestFor('anna@example.com'),
    silence: () => {
      fake.script.mood = 'mute';
    },
    questions: () => fake.counts.searches,
    close: async () => {
      await ldap.close();
      await fake.stop();
    },
  };
});

const BOTH = entry({ mailHost: ['smtp.example'], callAhead: ['smtp2.example,smtp3.example:9025'] });

test('the hosts to ask beat the mail hosts for the query, and never take mail', async (t) => {
  const { ask, deliver, fake } = await open(t, { entries: [BOTH] });
  t.is(await ask('anna@example.com'), 'anna@example.com -> operator smtp2.example smtp3.example:9025');
  t.is(await deliver('anna@example.com'), 'anna@example.com -> operator smtp.example');
  t.is(fake.counts.searches, 1, 'both from one answer');
});

test('the mail hosts are asked where there are none to ask; hosts to ask alone leave the delivery to the next stage', async (t) => {
  const one = await open(t, { entries: [entry({ mailHost: ['smtp.example'] })] });
  t.is(await one.ask('anna@example.com'), 'anna@example.com -> operator smtp.example');
  const other = await open(t, { entries: [entry({ callAhead: ['smtp2.example'] })] });
  t.is(await other.deliver('anna@example.com'), 'anna@example.com -> recipient example.com');
});

test('no entry, and an entry without the attributes, go on to the next stage with the domain', async (t) => {
  const none = await open(t, { entries: [] });
  t.is(await none.ask('anna@example.com'), 'anna@example.com -> recipient example.com');
  const bare = await open(t, { entries: [entry({})] });
  t.is(await bare.ask('anna@example.com'), 'anna@example.com -> recipient example.com');
});

test('a routing address takes the recipient’s place, and without a host its domain goes on to the next stage', async (t) => {
  const { ask, deliver } = await open(t, { entries: [entry({ mailRoutingAddress: ['a.meier@Corp.example'] })] });
  t.is(await ask('anna@example.com'), 'a.meier@corp.example -> recipient corp.example');
  t.is(await deliver('anna@example.com'), 'a.meier@corp.example -> recipient corp.example');
});

test('a routing address with a host goes to that host', async (t) => {
  const attributes = { mailRoutingAddress: ['a.meier@corp.example'], mailHost: ['mx.corp.example:25'] };
  const { ask } = await open(t, { entries: [entry(attributes)] });
  t.is(await ask('anna@example.com'), 'a.meier@corp.example -> operator mx.corp.example:25');
});

test('a static profile takes the routing address only, whatever the hosts; its mail goes to the mail host', async (t) => {
  const attributes = { mailRoutingAddress: ['a@corp.example'], callAhead: ['x:bad'], mailHost: ['smtp.example'] };
  const { ask, deliver } = await open(t, { entries: [entry(attributes)] });
  t.is(await ask('anna@example.com', STATIC), 'a@corp.example -> recipient corp.example');
  t.is(await deliver('anna@example.com'), 'a@corp.example -> operator smtp.example');
});

test('a static profile asks no directory that has no routing address to give', async (t) => {
  const { ask, fake } = await open(t, { entries: [BOTH], over: { mailRoutingAddressAttribute: null } });
  t.is(await ask('anna@example.com', STATIC), 'anna@example.com -> recipient example.com');
  t.is(fake.counts.searches, 0);
});

test('another listener asks nobody', async (t) => {
  const { ldap, fake } = await open(t, { entries: [BOTH] });
  const at = startAt('anna@example.com');
  t.is(await ldap.ask(at, { ...requestFor('anna@example.com'), listener: 'other' }), at);
  t.is(fake.counts.searches, 0);
});

test('a bad port is failed ldap, and the log names entry, attribute and value once an answer', async (t) => {
  const { ask, deliver, events } = await open(t, {
    entries: [entry({ mailHost: ['smtp.example'], callAhead: ['a:0'] })],
  });
  t.regex(await ask('anna@example.com'), /^failed ldap: entry cn=one: callAhead "a:0" has the bad port 0/);
  await ask('bert@example.com');
  t.deepEqual(events, [
    {
      event: 'directory.entry-refused',
      server: 'directory',
      routing: 'domains',
      dn: 'cn=one',
      attribute: 'callAhead',
      value: 'a:0',
      reason: 'has the bad port 0 (1..65535 is right): expected host[:port]',
    },
  ]);
  t.is(await deliver('anna@example.com'), 'anna@example.com -> operator smtp.example', 'the mail host is not to blame');
});

test('entries that disagree, and a routing address that is none, are failed ldap', async (t) => {
  const two = await open(t, { entries: [entry({ mailHost: ['a'] }), entry({ mailHost: ['b'] }, 'cn=two')] });
  t.regex(await two.ask('anna@example.com'), /^failed ldap: entry cn=two: mailHost "b" disagrees with cn=one/);
  const bad = await open(t, { entries: [entry({ mailRoutingAddress: ['nobody'], mailHost: ['a'] })] });
  t.regex(
    await bad.ask('anna@example.com'),
    /^failed ldap: entry cn=one: mailRoutingAddress "nobody" is not an address/,
  );
});

test('a remembered answer is no promise, until its time is over; so is that there is no entry', async (t) => {
  const { ldap, ask, fake, clock } = await open(t, { entries: [] });
  await ask('anna@example.com');
  fake.script.entries = [BOTH];
  const request = requestFor('anna@example.com');
  t.false(ldap.ask(startAt('anna@example.com'), request) instanceof Promise);
  t.is(await ask('anna@example.com'), 'anna@example.com -> recipient example.com');
  clock.skippedMs += 59_000;
  t.is(await ask('anna@example.com'), 'anna@example.com -> recipient example.com');
  clock.skippedMs += 1_000;
  t.is(await ask('anna@example.com'), 'anna@example.com -> operator smtp2.example smtp3.example:9025');
  t.is(fake.counts.searches, 2);
});

test('an entry that cannot be used is looked at again after half a minute', async (t) => {
  const { ask, fake, clock } = await open(t, { entries: [entry({ mailHost: ['a:0'] })] });
  t.regex(await ask('anna@example.com'), /^failed ldap/);
  fake.script.entries = [BOTH];
  t.regex(await ask('anna@example.com'), /^failed ldap/);
  clock.skippedMs += 30_000;
  t.is(await ask('anna@example.com'), 'anna@example.com -> operator smtp2.example smtp3.example:9025');
});

test('while the directory is down expired answers serve on, others are failed ldap, and nobody waits long', async (t) => {
  const { ask, fake, clock } = await open(t, { entries: [BOTH], server: { timeoutMs: 60_000 } });
  await ask('anna@example.com');
  fake.script.mood = 'mute';
  clock.skippedMs += 3_600_000;
  const before = performance.now();
  t.is(await ask('anna@example.com'), 'anna@example.com -> operator smtp2.example smtp3.example:9025', 'mute');
  t.true(performance.now() - before < 5_000);
  await fake.down();
  t.is(await ask('anna@example.com'), 'anna@example.com -> operator smtp2.example smtp3.example:9025', 'gone');
  t.regex(await ask('anna@example.net'), /^failed ldap: directory directory: /);
});

test('a directory that refuses to answer is failed ldap', async (t) => {
  const { ask, fake } = await open(t, { entries: [BOTH] });
  fake.script.mood = 'denied';
  t.regex(await ask('anna@example.com'), /^failed ldap: directory directory: .*0x32/);
});

test('the cache has the size of the settings', async (t) => {
  const { ask, fake } = await open(t, { entries: [BOTH], server: { cacheSize: 100 } });
  for (let i = 0; i <= 100; i++) await ask(`anna@d${i}.example`);
  await ask('anna@d100.example');
  t.is(fake.counts.searches, 101);
  await ask('anna@d0.example');
  t.is(fake.counts.searches, 102);
});

const FLUSHES: readonly (readonly [Flush, boolean])[] = [
  [{ kind: 'all' }, true],
  [{ kind: 'negative' }, false],
  [{ kind: 'domain', value: 'example.com' }, true],
  [{ kind: 'domain', value: 'example.net' }, false],
  [{ kind: 'recipient', value: 'anna@example.com' }, true],
  [{ kind: 'server', value: 'smtp3.example:9025' }, true],
  [{ kind: 'server', value: 'other.example:25' }, false],
];

for (const [what, forgets] of FLUSHES) {
  test(`a flush of ${Object.values(what).join(' ')} ${forgets ? 'forgets' : 'keeps'} the answer`, async (t) => {
    const { ldap, ask, fake } = await open(t, { entries: [BOTH] });
    await ask('anna@example.com');
    ldap.flush(what);
    await ask('anna@example.com');
    t.is(fake.counts.searches, forgets ? 2 : 1);
  });
}

test('an answer that was under way when the cache was flushed is not remembered', async (t) => {
  const { ldap, ask, fake } = await open(t, { entries: [BOTH] });
  const first = ask('anna@example.com');
  ldap.flush({ kind: 'all' });
  await first;
  await ask('anna@example.com');
  t.is(fake.counts.searches, 2);
});

test('a step says what was asked, what came and where from', async (t) => {
  const { ldap, clock } = await open(t, {
    entries: [BOTH],
    templates: { base: 'ou={d},dc=example', filter: '(mail={a})' },
  });
  const steps: Step[] = [];
  const now = (): number => performance.now() + clock.skippedMs;
  const request = requestFor('anna@example.com', { now, recorder: (step) => steps.push(step) });
  await ldap.ask(startAt('anna@example.com'), request);
  await ldap.ask(startAt('anna@example.com'), request);
  t.deepEqual(
    steps.map((step) => step.facts.source),
    ['directory', 'cache'],
  );
  t.like(steps[0], {
    stage: 'ldap',
    facts: {
      routing: 'domains',
      server: 'directory',
      base: 'ou=example.com,dc=example',
      filter: '(mail=anna@example.com)',
      scope: 'sub',
      entries: 'cn=one',
      answer: 'smtp2.example, smtp3.example:9025',
      recipient: 'anna@example.com',
    },
  });
});
