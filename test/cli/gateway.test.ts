import { once } from 'node:events';
import { createServer } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { openChain } from '../support/chain.ts';
import { connectClient, openSession, play } from '../support/dialogue.ts';
import { startFakeDirectory } from '../support/fake-directory.ts';
import { until } from '../support/until.ts';

const MAIL = 'MAIL FROM:<sender@client.example>';
const KNOWN = 'RCPT TO:<known@example.com>';
const NOBODY = [{ match: ['nobody.example'], action: 'accept' }];

test.serial('a session keeps the access rules it began with, and the next one has the new ones', async (t) => {
  const { file, gateway, port, events } = await openChain(t);
  const old = await openSession(t, port, 'EHLO client.example', MAIL);
  file.recipientAccess = { inbound: NOBODY };
  t.like(await gateway.reload(), { kind: 'reloaded', generation: 2, kept: [`inbound 127.0.0.1:${port}`] });
  const next = await openSession(t, port, 'EHLO client.example', MAIL);
  for (const client of [old, next]) client.send(`${KNOWN}\r\n`);
  t.regex((await old.line()) ?? '', /^250 2\.1\.5/);
  t.regex((await next.line()) ?? '', /^550 5\.7\.1/);
  const opened = events.flatMap((event) => (event.event === 'session.opened' ? [event.generation] : []));
  t.deepEqual(opened, [1, 2]);
});

test.serial('a session keeps its routes and actions, and a recipient is asked where it was', async (t) => {
  const { file, gateway, port, servers } = await openChain(t, {
    servers: [{ users: ['known@example.com'] }, { users: ['other@example.com'] }],
    rows: [{}, {}],
  });
  file.callAheadProfiles.mailboxes.servers = servers[0]?.at;
  await gateway.reload();
  const old = await openSession(t, port, 'EHLO client.example', MAIL);
  file.callAheadProfiles.mailboxes.servers = servers[1]?.at;
  await gateway.reload();
  const next = await openSession(t, port, 'EHLO client.example', MAIL);
  for (const client of [old, next]) client.send(`${KNOWN}\r\n`);
  t.regex((await old.line()) ?? '', /^250/);
  t.regex((await next.line()) ?? '', /^550 5\.1\.1/);
});

test.serial('a verdict of servers that are not asked any more is not served', async (t) => {
  const { file, gateway, ask, servers } = await openChain(t, {
    servers: [{ users: ['known@example.com'] }, {}],
    rows: [{}, {}],
  });
  file.callAheadProfiles.mailboxes.servers = servers[0]?.at;
  await gateway.reload();
  await ask(`C: ${KNOWN}\nS: 250`);
  file.callAheadProfiles.mailboxes.servers = servers[1]?.at;
  await gateway.reload();
  await ask(`C: ${KNOWN}\nS: 550 5.1.1`);
  // What the first servers said still holds there.
  const asked = servers[0]?.sessions.length;
  file.callAheadProfiles.mailboxes.servers = servers[0]?.at;
  await gateway.reload();
  await ask(`C: ${KNOWN}\nS: 250`);
  t.is(servers[0]?.sessions.length, asked);
});

test.serial('answers stay cached over a reload, changed settings or not', async (t) => {
  const { file, gateway, ask, servers } = await openChain(t);
  await ask(`C: ${KNOWN}\nS: 250`);
  await gateway.reload();
  Object.assign(file.callAheadProfiles.mailboxes, { maxConnectionsPerServer: 2, cacheSize: 500, commandTimeout: 9 });
  await gateway.reload();
  await ask(`C: ${KNOWN}\nS: 250`);
  t.is(servers[0]?.sessions.length, 1);
});

test.serial(
  'what a directory said is served on over a reload while it is down, and its connections stay',
  async (t) => {
    const { chain, directory, reload } = await behindDirectory(t);
    await chain.ask(`C: ${KNOWN}\nS: 250`);
    await reload();
    t.is(directory.counts.open, 1);
    await directory.down();
    await reload();
    await chain.ask('C: RCPT TO:<other@example.com>\nS: 250');
    t.is(directory.counts.searches, 1);
  },
);

test.serial('a routing that reads another attribute is asked anew, though its name is the same', async (t) => {
  const { chain, directory, reload } = await behindDirectory(t);
  await chain.ask(`C: ${KNOWN}\nS: 250`);
  await reload({ mailHostAttribute: 'mailDrop' });
  await chain.ask(`C: ${KNOWN}\nS: 250`);
  t.is(directory.counts.searches, 2);
});

test.serial(
  'a directory that no configuration names any more loses its connections with the last session',
  async (t) => {
    const { chain, directory } = await behindDirectory(t);
    await chain.ask(`C: ${KNOWN}\nS: 250`);
    const old = await openSession(t, chain.port, 'EHLO client.example', MAIL);
    delete chain.file.listeners.inbound.ldapRouting;
    delete chain.file.ldap;
    await chain.gateway.reload();
    t.is(directory.counts.open, 1);
    old.socket.destroy();
    await until(() => directory.counts.open === 0);
    t.is(chain.gateway.generations(), 1);
  },
);

/** A chain whose listener asks a directory about domains. `reload` changes keys of its routing. */
async function behindDirectory(t: ExecutionContext) {
  const directory = await startFakeDirectory({ entries: [{ dn: 'cn=domain,dc=example', attributes: {} }] });
  const urls = [`ldap://127.0.0.1:${directory.port}`];
  const routing = { server: 'directory', base: 'dc=example', filter: '(mail={d})', mailRoutingAddressAttribute: 'to' };
  const sections = (keys: object) => ({
    ldap: { servers: { directory: { urls } }, routing: { domains: { ...routing, ...keys } } },
  });
  const chain = await openChain(t, {
    servers: [{ users: ['known@example.com', 'other@example.com'] }],
    listener: { ldapRouting: 'domains' },
    sections: sections({}),
  });
  t.teardown(() => directory.stop());
  const reload = async (keys: object = {}): Promise<void> => {
    Object.assign(chain.file, sections(keys));
    t.like(await chain.gateway.reload(), { kind: 'reloaded' });
  };
  return { chain, directory, reload };
}

test.serial('other settings close idle connections to the server, equal ones do not', async (t) => {
  const { file, gateway, ask, servers } = await openChain(t, {
    servers: [{ users: ['known@example.com', 'a@example.com', 'b@example.com'] }],
    profile: { sessionIdle: 600 },
  });
  const [server] = servers;
  await ask(`C: ${KNOWN}\nS: 250`);
  await gateway.reload();
  await ask('C: RCPT TO:<a@example.com>\nS: 250');
  t.is(server?.sessions.length, 1);
  file.callAheadProfiles.mailboxes.mailFrom = 'probe@gateway.example';
  await gateway.reload();
  await until(() => server?.sessions[0]?.lines.at(-1) === 'QUIT');
  await ask('C: RCPT TO:<b@example.com>\nS: 250');
  t.is(server?.sessions.length, 2);
  t.true(server?.sessions[1]?.lines.includes('MAIL FROM:<probe@gateway.example>'));
});

test.serial('a port that is taken refuses the reload, and all stays as it was', async (t) => {
  const taken = createServer();
  await once(taken.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => taken.close());
  const { port: takenPort } = taken.address() as { port: number };
  const { file, gateway, port, events } = await openChain(t);
  const before = structuredClone(file.listeners);
  file.recipientAccess = { inbound: NOBODY };
  file.listeners.extra = { ...file.listeners.inbound, listen: ['127.0.0.1:0', `127.0.0.1:${takenPort}`] };
  const refused = await gateway.reload();
  t.is(refused.kind, 'refused');
  t.regex(refused.kind === 'refused' ? (refused.problems[0] ?? '') : '', /listener extra: .*EADDRINUSE/);
  t.deepEqual(Object.keys(gateway.listeners()), ['inbound']);
  t.is(gateway.generations(), 1);
  const next = await openSession(t, port, 'EHLO client.example', MAIL);
  next.send(`${KNOWN}\r\n`);
  t.regex((await next.line()) ?? '', /^250/);
  t.is(events.filter(({ event }) => event === 'gateway.reload-refused').length, 1);
  file.listeners = before;
  t.like(await gateway.reload(), { kind: 'reloaded', generation: 2 });
});

test.serial('a file with mistakes changes nothing, and each is told with its place', async (t) => {
  const { file, gateway, port } = await openChain(t);
  Object.assign(file, { hostname: 'no name', drainTimeout: -1 });
  const refused = await gateway.reload();
  t.is(refused.kind, 'refused');
  const problems = refused.kind === 'refused' ? refused.problems : [];
  t.is(problems.length, 2);
  for (const problem of problems) t.regex(problem, /^callahead\.yaml:1:\d+: /);
  await play(port, 'S: 220 mx.gateway.example');
});

test.serial('listeners open and close as the file says, and sessions of a closed one go on', async (t) => {
  const { file, gateway, port } = await openChain(t);
  file.listeners.second = { ...file.listeners.inbound };
  const opening = await gateway.reload();
  const second = Number(gateway.listeners().second?.[0]?.split(':').at(-1));
  t.like(opening, { kind: 'reloaded', opened: [`second 127.0.0.1:${second}`], closed: [] });
  const old = await openSession(t, second, 'EHLO client.example', MAIL);
  delete file.listeners.second;
  t.like(await gateway.reload(), { closed: [`second 127.0.0.1:${second}`], kept: [`inbound 127.0.0.1:${port}`] });
  await t.throwsAsync(connectClient(second), { code: 'ECONNREFUSED' });
  old.send(`${KNOWN}\r\n`);
  t.regex((await old.line()) ?? '', /^250/);
});

test.serial('a listener that is renamed keeps its port', async (t) => {
  const { file, gateway, port } = await openChain(t);
  file.listeners.inbound.listen = [`127.0.0.1:${port}`];
  const { inbound } = file.listeners;
  // The port that the system chose is another one to the file: it is closed when the port is named, which it can then not be.
  t.like(await gateway.reload(), { kind: 'refused' });
  inbound.listen = ['127.0.0.1:0'];
  const free = createServer();
  await once(free.listen(0, '127.0.0.1'), 'listening');
  const { port: named } = free.address() as { port: number };
  await new Promise((resolve) => free.close(resolve));
  inbound.listen = [`127.0.0.1:${named}`];
  t.like(await gateway.reload(), { kind: 'reloaded', opened: [`inbound 127.0.0.1:${named}`] });
  Object.assign(file, { listeners: { renamed: inbound } });
  t.like(await gateway.reload(), { kind: 'reloaded', opened: [], closed: [], kept: [`renamed 127.0.0.1:${named}`] });
  await play(named, 'S: 220');
});

test.serial('what an earlier configuration held is freed when its last session ends', async (t) => {
  const { gateway, port, events } = await openChain(t);
  const sessions = [await openSession(t, port), await openSession(t, port)];
  await gateway.reload();
  await gateway.reload();
  // The second one never had a session.
  await until(() => gateway.generations() === 2);
  sessions[0]?.close();
  await until(() => events.some(({ event }) => event === 'session.closed'));
  t.is(gateway.generations(), 2);
  sessions[1]?.close();
  await until(() => gateway.generations() === 1);
  const ended = events.flatMap((event) => (event.event === 'gateway.generation-ended' ? [event.generation] : []));
  t.deepEqual(ended, [2, 1]);
});

test.serial('reloads run one after another, and those that wait are one', async (t) => {
  const { file, gateway } = await openChain(t);
  const first = gateway.reload();
  file.hostname = 'mx2.gateway.example';
  const waiting = [gateway.reload(), gateway.reload(), gateway.reload()];
  const generations = (await Promise.all([first, ...waiting])).map((one) =>
    one.kind === 'reloaded' ? one.generation : null,
  );
  t.deepEqual(generations, [2, 3, 3, 3]);
  t.like(await gateway.reload(), { generation: 4 });
});

test.serial('sessions of earlier configurations count against the limit of the listener', async (t) => {
  const { gateway, port } = await openChain(t, { listener: { limits: { sessions: 2 } } });
  await openSession(t, port);
  await gateway.reload();
  const second = await openSession(t, port, 'NOOP');
  t.regex(second.transcript(), /S: 250/);
  await play(port, 'S: 421 4.3.2\nS: (closed)');
});

test.serial('keys that count only after a restart are told', async (t) => {
  const { file, gateway } = await openChain(t);
  Object.assign(file, { engine: { threads: 2, maxPending: 100 } });
  t.like(await gateway.reload(), { kind: 'reloaded', restart: ['engine.threads', 'engine.maxPending'] });
});

test.serial('a drain ends the sessions of every configuration, and a reload that comes then is refused', async (t) => {
  const { gateway, port } = await openChain(t, { sections: { drainTimeout: 60 } });
  const first = await openSession(t, port, 'EHLO client.example', MAIL, KNOWN);
  const idle = await openSession(t, port);
  await gateway.reload();
  const second = await openSession(t, port, 'EHLO client.example', MAIL, KNOWN);
  const drained = gateway.drain();
  t.regex((await idle.line()) ?? '', /^421 4\.3\.2/);
  await t.throwsAsync(connectClient(port), { code: 'ECONNREFUSED' });
  t.like(await gateway.reload(), { kind: 'refused', problems: ['the gateway is stopping'] });
  for (const client of [first, second]) {
    client.send('DATA\r\n');
    t.regex((await client.line()) ?? '', /^354/);
    client.send('Subject: last\r\n\r\n.\r\n');
    t.regex((await client.line()) ?? '', /^250 2\.0\.0/);
    t.regex((await client.line()) ?? '', /^421 4\.3\.2/);
  }
  await drained;
  t.is(gateway.generations(), 0);
});

test.serial('a reload that a drain overtakes opens nothing', async (t) => {
  const { file, gateway } = await openChain(t);
  file.listeners.second = { ...file.listeners.inbound };
  const reloading = gateway.reload();
  await gateway.drain();
  t.like(await reloading, { kind: 'refused', problems: ['the gateway is stopping'] });
  t.deepEqual(Object.keys(gateway.listeners()), ['inbound']);
});

test.serial('connections to a server follow a lower limit, and are never more', async (t) => {
  const users = Array.from({ length: 400 }, (_, i) => `u${i}@example.com`);
  const { file, gateway, port, servers } = await openChain(t, {
    servers: [{ users }],
    profile: { maxConnectionsPerServer: 4, sessionIdle: 600 },
  });
  const [server] = servers;
  async function ask(from: number): Promise<void> {
    const client = await openSession(t, port, 'EHLO client.example', MAIL);
    client.send(
      users
        .slice(from, from + 90)
        .map((user) => `RCPT TO:<${user}>\r\n`)
        .join(''),
    );
    for (let i = 0; i < 90; i++) t.regex((await client.line()) ?? '', /^250/);
  }
  await ask(0);
  t.true((server?.open() ?? 0) > 1);
  file.callAheadProfiles.mailboxes.maxConnectionsPerServer = 1;
  await gateway.reload();
  await until(() => (server?.open() ?? 9) <= 1);
  const before = server?.sessions.length ?? 0;
  await ask(100);
  t.is((server?.sessions.length ?? 0) - before, 1);
});

test.serial('a thousand reloads leave one configuration', async (t) => {
  const { gateway, port } = await openChain(t);
  const old = await openSession(t, port, 'EHLO client.example', MAIL);
  for (let i = 0; i < 1_000; i++) await gateway.reload();
  t.like(await gateway.reload(), { kind: 'reloaded', generation: 1_002 });
  await until(() => gateway.generations() === 2);
  old.send(`${KNOWN}\r\n`);
  t.regex((await old.line()) ?? '', /^250/);
  old.close();
  await until(() => gateway.generations() === 1);
});
