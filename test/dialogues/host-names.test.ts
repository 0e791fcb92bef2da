/** Host access by name: what reverse DNS says of a client that comes, and what becomes of it while nobody knows. */
import test, { type ExecutionContext } from 'ava';
import { type Chain, openChain } from '../support/chain.ts';
import { type Client, connectClient } from '../support/dialogue.ts';
import { type FakeDns, type FakeZone, startFakeDns } from '../support/fake-dns.ts';
import { until } from '../support/until.ts';

const REVERSE = '2.0.0.127.in-addr.arpa';
const BLOCKED = `
  S: 554 5.7.1
  C: QUIT
  S: 221`;
const SERVED = `
  S: 220
  C: QUIT
  S: 221`;

const hosts = {
  senderGroups: [
    { name: 'near', match: '127.0.0.3', policy: 'accepted' },
    { name: 'bad', match: ['.bad.example', 'worse.example'], policy: 'blocked' },
    { name: 'others', match: 'ALL', policy: 'accepted' },
  ],
  policies: { blocked: { action: 'reject' }, accepted: { maxConnectionsPerHost: 1 } },
};

async function openNamed(t: ExecutionContext, zone: FakeZone): Promise<Readonly<{ chain: Chain; dns: FakeDns }>> {
  const dns = await startFakeDns(zone);
  t.teardown(dns.stop);
  const chain = await openChain(t, {
    listener: { hostAccess: 'hosts' },
    sections: { hostAccess: { hosts }, dns: { servers: [dns.at], timeout: 2 } },
  });
  return { chain, dns };
}

test('a verified name decides, for itself and for hosts below a suffix', async (t) => {
  const { chain, dns } = await openNamed(t, {
    [REVERSE]: [{ type: 'PTR', data: 'a.b.Bad.Example' }],
    'a.b.bad.example': [{ type: 'A', data: '127.0.0.2' }],
  });
  await chain.play(BLOCKED, '127.0.0.2');
  t.like(
    chain.events.find(({ event }) => event === 'session.admitted'),
    { client: '127.0.0.2', group: 'bad', entry: '.bad.example', policy: 'blocked', action: 'reject' },
  );
  dns.asked.length = 0;
  await chain.play(BLOCKED, '127.0.0.2');
  t.deepEqual(dns.asked, []);
});

test('names are not looked up for a client that an entry before them matches', async (t) => {
  const { chain, dns } = await openNamed(t, {});
  await chain.play(SERVED, '127.0.0.3');
  t.deepEqual(dns.asked, []);
});

for (const [title, zone] of [
  [
    'that does not lead back',
    { [REVERSE]: [{ type: 'PTR', data: 'worse.example' }], 'worse.example': [{ type: 'A', data: '127.0.0.9' }] },
  ],
  ['that does not exist', { [REVERSE]: [{ type: 'PTR', data: 'worse.example' }] }],
  ['that cannot be looked up', { [REVERSE]: [{ type: 'PTR', data: 'worse.example' }], 'worse.example': 'SERVFAIL' }],
  ['that nobody gave it', { [REVERSE]: 'NXDOMAIN' }],
  ['of which the name server says nothing', { [REVERSE]: 'silent' }],
] as const satisfies readonly (readonly [string, FakeZone])[]) {
  test(`a name ${title} matches no entry, and the client is served in time`, async (t) => {
    const { chain } = await openNamed(t, zone);
    t.regex(await chain.play(SERVED, '127.0.0.2'), /^S: 220/);
  });
}

test('of one client no more wait for their names at once than any policy lets in, and those that go make room', async (t) => {
  const { chain, dns } = await openNamed(t, { [REVERSE]: 'silent' });
  const arrive = (): Promise<Client> => connectClient(chain.port, '127.0.0.2');
  // Who is blocked may have ten sessions, as by default: nobody knows yet that this one may have one.
  const waiting = await Promise.all(Array.from({ length: 10 }, arrive));
  await until(() => dns.asked.length > 0);
  const TOO_MANY = 'S: 421 4.7.0\nS: (closed)';
  await t.notThrowsAsync(chain.play(TOO_MANY, '127.0.0.2'));
  t.regex(await chain.play(SERVED, '127.0.0.3'), /^S: 220/);
  waiting[0]?.close();
  await until(() => chain.events.filter(({ event }) => event === 'session.closed').length === 3);
  waiting[0] = await arrive();
  await t.notThrowsAsync(chain.play(TOO_MANY, '127.0.0.2'));
  const greetings = await Promise.all(waiting.map(async (client) => (await client.line())?.slice(0, 9)));
  t.deepEqual(greetings.toSorted(), ['220 mx.ga', ...Array.from({ length: 9 }, () => '421 4.7.0')]);
  for (const client of waiting) client.close();
});

test('who talks while its names are looked up talks too soon, and who goes leaves nothing behind', async (t) => {
  const { chain, dns } = await openNamed(t, { [REVERSE]: 'silent' });
  await chain.play(
    `
    C: EHLO client.example
    S: 554 5.5.0
    S: (closed)`,
    '127.0.0.2',
  );
  const arrival = dns.arrival(`PTR ${REVERSE}`);
  const client = await connectClient(chain.port, '127.0.0.2');
  await Promise.race([arrival, until(() => dns.asked.length > 0)]);
  client.close();
  await until(() => chain.events.filter(({ event }) => event === 'session.closed').length === 2);
  // Its policy allows one connection: neither of the two holds it.
  t.regex(await chain.play(SERVED, '127.0.0.2'), /^S: 220/);
});
