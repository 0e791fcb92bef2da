import test, { type ExecutionContext } from 'ava';
import { createClientNames } from '../../packages/routing/src/client-names.ts';
import { createDns } from '../../packages/routing/src/dns.ts';
import { type FakeZone, startFakeDns } from '../support/fake-dns.ts';
import { dnsSettings } from '../support/routing.ts';
import { type Table, tableDns } from '../support/table-dns.ts';

function namesIn(table: Table, asked: string[] = []) {
  return createClientNames(tableDns(table, asked), { timeoutMs: 1_000, now: () => performance.now() });
}

test('a name is believed that leads back to the address', async (t) => {
  const asked: string[] = [];
  const namesOf = namesIn(
    {
      'PTR 9.2.0.192.in-addr.arpa': ['Mail.Example.COM.', 'liar.example.net', 'gone.example.net', 'mail.example.com'],
      'A mail.example.com': ['192.0.2.7', '192.0.2.9'],
      'A liar.example.net': ['192.0.2.7'],
    },
    asked,
  );
  t.deepEqual(await namesOf('192.0.2.9'), ['mail.example.com']);
  t.deepEqual(asked, ['PTR 9.2.0.192.in-addr.arpa', 'A mail.example.com', 'A liar.example.net', 'A gone.example.net']);
});

test('an IPv6 client is looked up among IPv6 addresses, however they are written', async (t) => {
  const reverse = `PTR 7.${'0.'.repeat(23)}8.b.d.0.1.0.0.2.ip6.arpa`;
  const namesOf = namesIn({ [reverse]: ['six.example'], 'AAAA six.example': ['2001:DB8:0:0:0:0:0:7'] });
  t.deepEqual(await namesOf('2001:db8::7'), ['six.example']);
});

for (const trouble of ['nxdomain', 'servfail', 'timeout', 'busy'] as const) {
  test(`nobody has a name where the look-up ends with ${trouble}`, async (t) => {
    const reverse = 'PTR 9.2.0.192.in-addr.arpa';
    t.deepEqual(await namesIn({ [reverse]: trouble })('192.0.2.9'), []);
    t.deepEqual(await namesIn({ [reverse]: ['mail.example'], 'A mail.example': trouble })('192.0.2.9'), []);
  });
}

test('a name that can be verified is believed although another one cannot', async (t) => {
  const namesOf = namesIn({
    'PTR 9.2.0.192.in-addr.arpa': ['broken.example', 'mail.example'],
    'A broken.example': 'servfail',
    'A mail.example': ['192.0.2.9'],
  });
  t.deepEqual(await namesOf('192.0.2.9'), ['mail.example']);
});

test('a look-up that does not end is waited for within its time only', async (t) => {
  const dns = tableDns({ 'PTR 9.2.0.192.in-addr.arpa': ['mail.example'], 'A mail.example': 'never' });
  const namesOf = createClientNames(dns, { timeoutMs: 20, now: () => performance.now() });
  t.deepEqual(await namesOf('192.0.2.9'), []);
});

test('of a heap of names only the first are looked at', async (t) => {
  const asked: string[] = [];
  const heap = Array.from({ length: 200 }, (_, i) => `host${i}.example`);
  await namesIn({ 'PTR 9.2.0.192.in-addr.arpa': heap }, asked)('192.0.2.9');
  t.is(asked.length, 11);
});

test('what is no address has no name', async (t) => {
  t.deepEqual(await namesIn({})('unknown'), []);
});

async function openNames(t: ExecutionContext, zone: FakeZone) {
  const server = await startFakeDns(zone);
  const dns = createDns(dnsSettings(server.at, { timeoutMs: 10_000 }), () => performance.now());
  t.teardown(async () => {
    dns.close();
    await server.stop();
  });
  return { server, namesOf: createClientNames(dns, { timeoutMs: 10_000, now: () => performance.now() }) };
}

test('a name server is asked once for a client that comes again, and for the classless part of a reverse zone too', async (t) => {
  const { server, namesOf } = await openNames(t, {
    // RFC 2317: the provider's zone leads to the customer's.
    '9.2.0.192.in-addr.arpa': [{ type: 'CNAME', data: '9.0/25.2.0.192.in-addr.arpa' }],
    '9.0/25.2.0.192.in-addr.arpa': [{ type: 'PTR', data: 'mail.example' }],
    'mail.example': [{ type: 'A', data: '192.0.2.9' }],
  });
  t.deepEqual(await namesOf('192.0.2.9'), ['mail.example']);
  t.deepEqual(await namesOf('192.0.2.9'), ['mail.example']);
  t.deepEqual(server.asked, ['PTR 9.2.0.192.in-addr.arpa', 'A mail.example']);
});
