import { join } from 'node:path';
import { type ServerTls, secretOf } from '@callahead/core';
import test from 'ava';
import { createAuthority, createCertificate } from '../support/certificates.ts';
import { temporaryFolder } from '../support/debian.ts';
import type { FakeOptions } from '../support/fake-server.ts';
import { allClosed, HOSTNAME, send, startRelay } from '../support/relays.ts';
import { until } from '../support/until.ts';

const authority = createAuthority();
const good = createCertificate({ names: ['mx.internal'], issuer: authority });
const stranger = createCertificate({ names: ['mx.internal'] });
const expired = createCertificate({ names: ['mx.internal'], issuer: authority, expiresInDays: -1 });
const misnamed = createCertificate({ names: ['other.internal'], issuer: authority });
const ours = createCertificate({ names: [HOSTNAME], issuer: authority });

const OPTIONAL: ServerTls = {
  mode: 'optional',
  verify: true,
  ca: authority.cert,
  identity: null,
  servername: null,
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  ciphers: 'DEFAULT',
};
const REQUIRED: ServerTls = { ...OPTIONAL, mode: 'required' };
const PLAIN_EHLO = `EHLO ${HOSTNAME}`;

test('TLS is spoken where it is offered, EHLO is said again, and nothing of the message goes in plain text', async (t) => {
  for (const tls of [OPTIONAL, REQUIRED]) {
    const bench = await startRelay(t, [{ tls: good }], { settings: { tls } });
    t.is((await send(bench)).code, 250);
    const [session] = bench.servers[0]?.sessions ?? [];
    t.deepEqual(session?.plainLines, [PLAIN_EHLO, 'STARTTLS']);
    t.is(session?.lines.filter((line) => line === PLAIN_EHLO).length, 2);
    await allClosed(bench);
  }
});

for (const [title, certificate] of [
  ['nobody vouches for', stranger],
  ['has expired', expired],
  ['is of another name', misnamed],
] as const) {
  test(`a certificate that ${title} is good enough where TLS is optional, and never where it is required`, async (t) => {
    const lax = await startRelay(t, [{ tls: certificate }], { settings: { tls: OPTIONAL } });
    t.is((await send(lax)).code, 250);
    t.truthy(lax.servers[0]?.sessions[0]?.secure);
    t.is(lax.servers[0]?.sessions.length, 1);

    const strict = await startRelay(t, [{ tls: certificate }], { settings: { tls: REQUIRED } });
    t.like(await send(strict), { at: 'DATA', code: 451, enhanced: '4.7.5' });
    t.is(strict.servers[0]?.sessions.length, 1);
    t.deepEqual(strict.servers[0]?.sessions[0]?.plainLines, [PLAIN_EHLO, 'STARTTLS']);
    await allClosed(strict);

    const blind = await startRelay(t, [{ tls: certificate }], { settings: { tls: { ...REQUIRED, verify: false } } });
    t.is((await send(blind)).code, 250);
  });
}

test('a certificate of another name is right where that name is expected', async (t) => {
  const tls = { ...REQUIRED, servername: 'other.internal' };
  const bench = await startRelay(t, [{ tls: misnamed }], { settings: { tls } });
  t.is((await send(bench)).code, 250);
});

test('a server may ask who we are', async (t) => {
  const server = { tls: { ...good, ca: authority.cert, requestCert: true } };
  const identity = { cert: ours.cert, key: secretOf(ours.key) };
  const known = await startRelay(t, [server], { settings: { tls: { ...REQUIRED, identity } } });
  t.is((await send(known)).code, 250);
  const unknown = await startRelay(t, [server], { settings: { tls: REQUIRED } });
  t.like(await send(unknown), { at: 'DATA', code: 451, enhanced: '4.7.5' });
});

/** Ways in which there is no TLS, and how many connections a delivery in plain text takes then. */
const WITHOUT: readonly Readonly<{ title: string; server: FakeOptions; sessions: number }>[] = [
  { title: 'is not offered', server: {}, sessions: 1 },
  { title: 'is refused', server: { tls: good, on: { STARTTLS: () => '454 4.7.0 Not now' } }, sessions: 1 },
  { title: 'is refused for good', server: { tls: good, on: { STARTTLS: () => '502 5.5.1 What?' } }, sessions: 1 },
  {
    title: 'is answered with a close',
    server: { tls: good, on: { STARTTLS: () => ({ kind: 'close' }) } },
    sessions: 2,
  },
  {
    title: 'breaks in the handshake',
    server: { tls: good, on: { STARTTLS: () => ({ raw: '220 Go\r\nthis is no handshake\r\n', close: true }) } },
    sessions: 2,
  },
];

for (const { title, server, sessions } of WITHOUT) {
  test(`where TLS ${title} and is optional the message goes in plain text over ${sessions} connections, else it does not go`, async (t) => {
    const lax = await startRelay(t, [server], { settings: { tls: OPTIONAL } });
    t.is((await send(lax)).code, 250);
    t.is(lax.servers[0]?.sessions.length, sessions);
    t.is(lax.servers[0]?.mostOpen(), 1);
    await allClosed(lax);

    const strict = await startRelay(t, [server], { settings: { tls: REQUIRED } });
    t.like(await send(strict), { at: 'DATA', code: 451, enhanced: '4.7.5' });
    t.false(strict.servers[0]?.sessions.some(({ lines }) => lines.some((line) => line.startsWith('MAIL'))));
    await allClosed(strict);
  });
}

test('what is said in plain text behind the answer to STARTTLS is thrown away', async (t) => {
  const on = { STARTTLS: () => ({ starttls: '220 Go\r\n250-mx.internal\r\n250 SIZE 1\r\n' }) };
  const bench = await startRelay(t, [{ tls: good, on }], { settings: { tls: REQUIRED } });
  t.is((await send(bench)).code, 250);
});

test('a server without EHLO is not asked with HELO where TLS is required', async (t) => {
  const bench = await startRelay(t, [{ on: { EHLO: () => '500 What?' } }], { settings: { tls: REQUIRED } });
  t.like(await send(bench), { at: 'DATA', code: 451, enhanced: '4.5.0' });
});

test('the next server is tried where TLS cannot be had', async (t) => {
  const bench = await startRelay(t, [{ tls: stranger }, { tls: good }], { settings: { tls: REQUIRED } });
  t.is((await send(bench)).code, 250);
  t.is(bench.servers[1]?.messages.length, 1);
});

test('a connection over TLS is used again', async (t) => {
  const bench = await startRelay(t, [{ tls: good }], { settings: { tls: REQUIRED }, idleMs: 60_000 });
  for (let i = 0; i < 3; i++) t.is((await send(bench)).code, 250);
  t.is(bench.servers[0]?.sessions.length, 1);
});

test('over a unix socket there is no TLS, whatever is asked for', async (t) => {
  const folder = await temporaryFolder('relay-tls');
  t.teardown(folder.remove);
  const path = join(folder.path, 'lmtp');
  const bench = await startRelay(t, [{ protocol: 'lmtp', path }], { protocol: 'lmtp', settings: { tls: REQUIRED } });
  const route = { ...bench.route, tiers: [[{ kind: 'unix', path }]] } as typeof bench.route;
  t.is((await send({ ...bench, route })).code, 250);
});

test('closing the relay does not wait for a handshake', async (t) => {
  const on = { STARTTLS: () => ({ raw: '220 Go\r\n' }) };
  const bench = await startRelay(t, [{ tls: good, on }], { settings: { tls: REQUIRED } });
  const opening = send(bench);
  await until(() => bench.servers[0]?.sessions[0]?.lines.includes('STARTTLS') ?? false);
  await bench.relay.close();
  t.is((await opening).code, 451);
});
