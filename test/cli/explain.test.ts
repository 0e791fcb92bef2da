import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Explanation } from '@callahead/core';
import test, { type ExecutionContext } from 'ava';
import { type ExplainArguments, explainCommand } from '../../packages/cli/src/commands/explain.ts';
import { explain } from '../../packages/cli/src/explain.ts';
import { openHalves } from '../../packages/cli/src/halves.ts';
import { load } from '../support/configuration.ts';
import { finish } from '../support/debian.ts';
import { type FakeZone, startFakeDns } from '../support/fake-dns.ts';
import { type FakeOptions, type FakeServer, startFakeServer } from '../support/fake-server.ts';
import { before, type GatewayFile } from '../support/gateway-settings.ts';
import { recipientOf } from '../support/recipients.ts';
import { listen } from '../support/terminal.ts';

type Given = Partial<Omit<ExplainArguments, 'file'>>;

async function fileOf(t: ExecutionContext, configuration: unknown): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'callahead-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = join(folder, 'callahead.yaml');
  await writeFile(file, JSON.stringify(configuration));
  return file;
}

async function run(t: ExecutionContext, configuration: unknown, given: Given = {}) {
  const file = await fileOf(t, configuration);
  const { said, terminal } = listen();
  const all = { address: 'ann@example.com', listener: null, client: null, dry: false, json: true, ...given, file };
  const exit = await explainCommand(all, terminal);
  return { exit, ...said, told: () => JSON.parse(said.stdout) as Explanation };
}

async function serverFor(t: ExecutionContext, options: FakeOptions = {}): Promise<FakeServer> {
  const server = await startFakeServer({ users: ['ann@example.com'], ...options });
  t.teardown(() => server.stop());
  return server;
}

/** A gateway that asks the delivery host, by the routes and names that are given. */
async function routed(t: ExecutionContext, zone: FakeZone, smtpRoutes = {}): Promise<GatewayFile> {
  const dns = await startFakeDns(zone);
  t.teardown(() => dns.stop());
  const file = before('', { serverType: 'delivery-host', servers: undefined });
  return { ...file, smtpRoutes, dns: { servers: [dns.at], timeout: 2, allowReserved: true } };
}

function stagesOf({ steps }: Explanation): string[] {
  return steps.map(({ stage }) => stage);
}

test.serial('a recipient that the server knows is accepted: exit code 0', async (t) => {
  const server = await serverFor(t);
  const { exit, told } = await run(t, before(server.at));
  t.is(exit, 0);
  t.like(told(), {
    recipient: 'ann@example.com',
    listener: 'inbound',
    client: null,
    verdict: { kind: 'valid', source: 'server', server: server.at },
    cached: { forMs: 900_000 },
    reply: { code: 250, enhanced: '2.1.5' },
    delivery: { kind: 'host', recipient: 'ann@example.com', tiers: [[server.at]] },
    exit: 0,
  });
});

test.serial('the JSON has its names, and a step for each stage in the order of time', async (t) => {
  const server = await serverFor(t);
  const { told } = await run(t, before(server.at), { client: '192.0.2.9' });
  const explanation = told();
  const names = 'recipient listener client steps dialogue verdict cached reply delivery exit'.split(' ');
  t.deepEqual(Object.keys(explanation), names);
  t.is(explanation.client, '192.0.2.9');
  const stages = stagesOf(explanation).filter((stage) => !stage.startsWith('delivery.'));
  t.deepEqual(stages, ['access', 'call-ahead', 'domain', 'static', 'dns', 'engine', 'server', 'keep', 'reply']);
  const times = explanation.steps.map(({ atMs }) => atMs);
  t.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  );
});

test.serial('the dialogue is told line by line, with the address of ours that was used', async (t) => {
  const server = await serverFor(t);
  const { told } = await run(t, before(server.at));
  const { dialogue } = told();
  t.deepEqual(dialogue.slice(0, 4), [
    `-- ${server.at}`,
    `-- connected to ${server.at} from 127.0.0.1`,
    'S: 220 fake.example ESMTP',
    'C: EHLO mx.gateway.example',
  ]);
  const last = ['C: MAIL FROM:<>', 'S: 250 2.1.0 Ok', 'C: RCPT TO:<ann@example.com>', 'S: 250 2.1.5 Ok'];
  t.deepEqual(dialogue.slice(-4), last);
});

test.serial('an unknown recipient is rejected: exit code 1', async (t) => {
  const server = await serverFor(t);
  const { exit, told } = await run(t, before(server.at), { address: 'nobody@example.com' });
  t.is(exit, 1);
  t.like(told(), { verdict: { kind: 'unknown' }, cached: { forMs: 300_000 }, reply: { code: 550, enhanced: '5.1.1' } });
  t.is(told().dialogue.at(-1), 'S: 550 5.1.1 No such user');
});

test.serial('a temporary refusal is handed on and not kept: exit code 3', async (t) => {
  const server = await serverFor(t, { on: { RCPT: () => '450 4.2.1 Later' } });
  const { exit, told } = await run(t, before(server.at));
  t.is(exit, 3);
  t.like(told(), { verdict: { kind: 'temporary' }, cached: null, reply: { code: 450, enhanced: '4.2.1' } });
});

// Alone: the time is to run out at the server, not in a machine that starts two dozen engines.
test.serial('a server that says nothing is waited for until the validation timeout: exit code 3', async (t) => {
  const server = await serverFor(t, { on: { MAIL: () => ({ kind: 'silent' }) } });
  const { exit, told } = await run(t, before(server.at, { validationTimeout: 3 }));
  t.is(exit, 3);
  t.like(told(), { verdict: { kind: 'failed', cause: 'timeout' }, reply: { code: 451, enhanced: '4.4.2' } });
  t.true(told().dialogue.includes('S: 220 fake.example ESMTP'));
});

test.serial('a failure that the profile accepts is accepted: exit code 0', async (t) => {
  const server = await serverFor(t, { on: { connect: () => '554 Go away' } });
  const { exit, told } = await run(t, before(server.at, { onValidationFailure: 'accept' }));
  t.is(exit, 0);
  t.like(told(), { verdict: { kind: 'failed', cause: 'greeting' }, cached: null, reply: { code: 250 } });
});

test.serial('the servers are held to the canary first, but for a dry run', async (t) => {
  const server = await serverFor(t, { users: [] });
  const file = before(server.at, { canary: { valid: 'ann@example.com', invalid: 'nobody@example.com' } });
  const { exit, told } = await run(t, file, { address: 'bob@example.com' });
  t.is(exit, 3);
  t.like(told().verdict, { kind: 'failed', cause: 'policy' });
  t.like(
    told().steps.find(({ stage }) => stage === 'canary'),
    { facts: { server: server.at, rejections: 'suspended', accepts: 'whom it knows' } },
  );
  t.is(server.asked.length, 3);
  await run(t, file, { dry: true });
  t.is(server.asked.length, 3);
});

test.serial('what recipient access refuses goes nowhere', async (t) => {
  const server = await serverFor(t);
  const { exit, told } = await run(t, before(server.at), { address: 'ann@elsewhere.example' });
  t.is(exit, 1);
  t.like(told(), { verdict: null, cached: null, delivery: null, reply: { code: 550, enhanced: '5.7.1' } });
  t.deepEqual(stagesOf(told()), ['access', 'reply']);
  t.is(server.sessions.length, 0);
});

test.serial('a bypassed recipient is routed and not asked about', async (t) => {
  const server = await serverFor(t);
  const file = before(server.at);
  file.recipientAccess = { inbound: [{ match: ['example.com'], action: 'accept', bypassCallAhead: true }] };
  const { exit, told } = await run(t, file);
  t.is(exit, 0);
  t.like(told(), { verdict: null, cached: null, delivery: { kind: 'host' } });
  t.like(told().steps[0]?.facts, { entry: 'example.com', bypass: 'yes' });
  t.is(server.sessions.length, 0);
});

test.serial('a dry run connects to nobody and ends with 0, for unknown recipients too', async (t) => {
  const server = await serverFor(t);
  const { exit, told } = await run(t, before(server.at), { address: 'nobody@example.com', dry: true });
  t.is(exit, 0);
  t.like(told(), { verdict: null, cached: null, dialogue: [], delivery: { kind: 'host' }, reply: { code: 250 } });
  t.true(stagesOf(told()).includes('dns'));
  t.is(server.sessions.length, 0);
});

test.serial('a dry run tells what an earlier step refuses', async (t) => {
  const { exit } = await run(t, before('127.0.0.1:9'), { address: 'ann@elsewhere.example', dry: true });
  t.is(exit, 1);
  const broken = await run(t, await routed(t, { 'example.com': 'SERVFAIL' }), { dry: true });
  t.is(broken.exit, 3);
  t.like(broken.told(), { verdict: { kind: 'failed', cause: 'dns' }, reply: { code: 451, enhanced: '4.4.3' } });
});

test.serial('a domain that nobody can look up is temporary, one that does not exist is not', async (t) => {
  const down = await run(t, await routed(t, { 'example.com': 'SERVFAIL' }));
  t.is(down.exit, 3);
  t.like(down.told(), { verdict: { kind: 'failed', cause: 'dns' }, delivery: { kind: 'none' } });
  const none = await run(t, await routed(t, {}));
  t.is(none.exit, 1);
  t.like(none.told(), { verdict: { kind: 'unknown', source: 'routing' }, reply: { code: 550, enhanced: '5.1.2' } });
});

test.serial('a domain that leads back to the gateway is a loop: exit code 3', async (t) => {
  const zone: FakeZone = {
    'example.com': [{ type: 'MX', data: [10, 'mx.gateway.example'] }],
    'mx.gateway.example': [{ type: 'A', data: '127.0.0.1' }],
  };
  const { exit, told } = await run(t, await routed(t, zone));
  t.is(exit, 3);
  t.like(told(), { verdict: { kind: 'failed', cause: 'loop' }, reply: { code: 451, enhanced: '4.4.6' } });
});

test.serial('what a route throws away is accepted, and goes nowhere', async (t) => {
  const { exit, told } = await run(t, await routed(t, {}, { 'example.com': '/dev/null' }));
  t.is(exit, 0);
  t.like(told(), { verdict: { kind: 'valid', source: 'routing' }, cached: null, delivery: { kind: 'discard' } });
});

test.serial('the port and where it comes from are told', async (t) => {
  const server = await serverFor(t);
  const file = await routed(t, {}, { 'example.com': `[127.0.0.1]:${server.port}` });
  const { told } = await run(t, file);
  const dns = told().steps.find(({ stage }) => stage === 'dns');
  t.regex(dns?.facts.hosts ?? '', new RegExp(`^127\\.0\\.0\\.1:${server.port} \\(port: route; as it is`));
});

test.serial('an address that is none gets its reply: exit code 1', async (t) => {
  const file = before('127.0.0.1:9');
  for (const [address, code] of [
    ['ann', 501],
    ['', 501],
    ['ann@exa mple.com', 501],
    ['ann%elsewhere.example@example.com', 553],
  ] as const) {
    const { exit, told } = await run(t, file, { address });
    t.is(exit, 1, address);
    t.like(told(), { recipient: address, verdict: null, reply: { code } });
  }
});

test.serial('the postmaster without a domain goes where the listener says', async (t) => {
  const { exit, told } = await run(t, before('127.0.0.1:9'), { address: 'postmaster' });
  t.is(exit, 0);
  t.like(told(), { recipient: 'postmaster@example.com', verdict: null, delivery: { kind: 'host' } });
});

test.serial('a wrong call and a wrong file are exit code 2, and say what would be right', async (t) => {
  const file = before('127.0.0.1:9');
  const listener = await run(t, file, { listener: 'outbound' });
  t.is(listener.exit, 2);
  t.is(listener.stderr, '--listener: there is no listener "outbound", expected one of inbound\n');
  const client = await run(t, file, { client: 'localhost' });
  t.is(client.exit, 2);
  t.is(client.stderr, '--client: "localhost" is not an IP address\n');
  t.is((await run(t, { hostname: 'mx.gateway.example' })).exit, 2);
  t.is((await run(t, { ...file, hostname: '1.2.3' })).exit, 2);
});

test.serial('the named listener is the one that is explained, else the first', async (t) => {
  const file = before('127.0.0.1:9');
  file.listeners.second = { ...file.listeners.inbound, recipientAccess: 'nobody' };
  file.recipientAccess = { ...(file.recipientAccess as object), nobody: [{ match: 'ALL', action: 'reject' }] };
  t.is((await run(t, file, { dry: true })).told().listener, 'inbound');
  const { exit, told } = await run(t, file, { dry: true, listener: 'second' });
  t.is(exit, 1);
  t.like(told(), { listener: 'second' });
});

test.serial('each time the server is asked anew, and the cache is neither read nor filled', async (t) => {
  const server = await serverFor(t);
  const { configuration } = load(JSON.stringify(before(server.at)));
  const halves = openHalves(configuration, {
    emit: () => {},
    onFatal: (error) => t.fail(error.message),
    listenAddresses: () => [],
  });
  t.teardown(() => halves.close(1_000));
  const [settings] = configuration.listeners;
  if (settings === undefined) throw new Error('no listener');
  const request = { address: 'ann@example.com', settings, client: null, dry: false };
  const recipient = recipientOf(request.address);

  t.like(await explain(request, halves), { verdict: { kind: 'valid', source: 'server' } });
  t.deepEqual(await halves.engine.lookup(recipient), []);
  const routing = await halves.router.toAsk({
    recipient,
    profile: settings.profile ?? (t.fail() as never),
    listener: 'inbound',
    deadlineMs: halves.now() + 5_000,
    recorder: null,
  });
  if (routing.kind !== 'ask') throw new Error('no route');
  await halves.engine.validate({ recipient, route: routing.route, deadlineMs: halves.now() + 5_000, recorder: null });
  t.is((await halves.engine.lookup(recipient)).length, 1);
  t.like(await explain(request, halves), { verdict: { kind: 'valid', source: 'server' } });
  t.is(server.asked.length, 3);
});

test.serial('nothing that a terminal obeys reaches it, from a server or from the command line', async (t) => {
  const server = await serverFor(t, { on: { RCPT: () => '550 5.1.1 \u001b[31mred\u0007 \u009b2J' } });
  for (const json of [true, false]) {
    for (const address of ['a\u202e\u0085b@example.com', 'ann@example.com\u001b[2J', '"\u200b"@example.com']) {
      const { stdout } = await run(t, before(server.at, { serverReply: 'pass' }), { address, json });
      t.notRegex(stdout, /(?!\n)\p{C}/u);
    }
  }
});

test.serial('the command ends by itself, and a call without an address is a usage error', async (t) => {
  const server = await serverFor(t);
  const file = await fileOf(t, before(server.at));
  const main = join(import.meta.dirname, '..', '..', 'packages', 'cli', 'src', 'main.ts');
  const asked = await finish(process.execPath, [main, 'explain', 'nobody@example.com', '-c', file, '--json']);
  t.is(asked.code, 1);
  t.is(server.sessions.at(-1)?.lines.at(-1), 'QUIT');
  t.is((await finish(process.execPath, [main, 'explain', '-c', file])).code, 2);
});

const HOSTS = {
  hosts: {
    senderGroups: [
      { name: 'blocked', match: '192.0.2.0/24', policy: 'blocked' },
      { name: 'unwanted', match: '203.0.113.', policy: 'unwanted' },
      { name: 'friends', match: ['198.51.100.1-9', 'mail.friend.example'], policy: 'friend' },
      { name: 'others', match: 'ALL', policy: 'trusted' },
    ],
    policies: {
      blocked: { action: 'reject', response: { text: '5.7.25 Go away' } },
      unwanted: { action: 'refuse' },
      friend: { action: 'relay' },
      trusted: { bypassCallAhead: true },
    },
  },
};

function guarded(file: GatewayFile): GatewayFile {
  const inbound = { ...file.listeners.inbound, hostAccess: 'hosts' };
  return { ...file, hostAccess: HOSTS, listeners: { ...file.listeners, inbound } };
}

test.serial('a client that is turned away gets no further than host access: exit code 1', async (t) => {
  const file = guarded(before('127.0.0.1:9'));
  const blocked = await run(t, file, { client: '192.0.2.7' });
  t.is(blocked.exit, 1);
  t.like(blocked.told(), { reply: { code: 554, enhanced: '5.7.25', text: 'Go away' }, verdict: null, delivery: null });
  t.deepEqual(
    blocked.told().steps.map(({ stage, facts }) => ({ stage, facts })),
    [{ stage: 'host', facts: { group: 'blocked', entry: '192.0.2.0/24', policy: 'blocked', action: 'reject' } }],
  );
  const unwanted = await run(t, file, { client: '203.0.113.1' });
  t.is(unwanted.exit, 1);
  t.like(unwanted.told().reply, { code: 554, text: 'Closed without a greeting' });
});

test.serial('a relay sender is not asked about, nor is anybody for a client whose policy bypasses', async (t) => {
  const server = await serverFor(t);
  const dns = await startFakeDns({ '1.113.0.203.in-addr.arpa': 'NXDOMAIN' });
  t.teardown(() => dns.stop());
  const file = {
    ...guarded(before(server.at)),
    smtpRoutes: { ALL: server.at },
    dns: { servers: [dns.at], timeout: 2 },
  };
  const friend = await run(t, file, { client: '198.51.100.3', address: 'somebody@elsewhere.example' });
  t.is(friend.exit, 0);
  t.like(friend.told(), { verdict: null, delivery: { kind: 'host', tiers: [[server.at]] } });
  t.deepEqual(stagesOf(friend.told()).slice(0, 2), ['host', 'call-ahead']);
  t.is(friend.told().steps[1]?.facts.recipient, 'relayed');
  const other = await run(t, file, { client: '198.51.100.77', address: 'nobody@example.com' });
  t.is(other.exit, 0);
  t.like(other.told().steps[0]?.facts, { names: 'none that leads back to the address', group: 'others' });
  t.is(other.told().steps.find(({ stage }) => stage === 'call-ahead')?.facts.recipient, 'bypassed');
  t.is(server.sessions.length, 0);
});

test.serial(
  'on a private listener only a relay sender may write, and the first public listener is the default',
  async (t) => {
    const server = await serverFor(t);
    const file = guarded(before(server.at));
    const inside = {
      type: 'private',
      listen: ['127.0.0.1:0'],
      hostAccess: 'hosts',
      postmaster: 'postmaster@example.com',
    };
    const both = { ...file, smtpRoutes: { ALL: server.at }, listeners: { inside, ...file.listeners } };
    const stranger = await run(t, both, { listener: 'inside' });
    t.is(stranger.exit, 1);
    t.like(stranger.told().reply, { code: 550, enhanced: '5.7.1' });
    const friend = await run(t, both, { listener: 'inside', client: '198.51.100.3' });
    t.is(friend.exit, 0);
    t.is((await run(t, both, { dry: true })).told().listener, 'inbound');
  },
);
