import test from 'ava';
import { createSources } from '../../packages/routing/src/sources.ts';
import { startFakeDns } from '../support/fake-dns.ts';
import { directoryAt } from '../support/ldap.ts';
import { dnsSettings, requestFor, routerWith, summary } from '../support/routing.ts';

const open = () => createSources({ now: () => performance.now(), random: () => 0.5, emit: () => {} });

test('what the DNS said is known to the next router, also when the first is closed and no name server answers', async (t) => {
  const server = await startFakeDns({ 'plain.example': [{ type: 'A', data: '192.0.2.3' }] });
  const sources = open();
  const first = routerWith(server.at, { sources });
  t.is(summary(await first.toAsk(requestFor('anna@plain.example'))), '192.0.2.3');
  const second = routerWith(server.at, { sources, generation: 2 });
  await first.close();
  await server.stop();
  t.is(summary(await second.toAsk(requestFor('anna@plain.example'))), '192.0.2.3');
  await second.close();
});

test('name servers are the same whatever addresses may be connected to, and others for another timeout', (t) => {
  const sources = open();
  const first = sources.dns(dnsSettings('127.0.0.1:53'));
  t.is(sources.dns(dnsSettings('127.0.0.1:53', { allowReserved: true })).thing, first.thing);
  t.not(sources.dns(dnsSettings('127.0.0.1:53', { timeoutMs: 1_000 })).thing, first.thing);
});

test('directories are the same for equal settings only', (t) => {
  const sources = open();
  const first = sources.directory(directoryAt([389]));
  t.is(sources.directory(directoryAt([389])).thing, first.thing);
  t.not(sources.directory(directoryAt([389], { cacheTtlMs: 1 })).thing, first.thing);
});
