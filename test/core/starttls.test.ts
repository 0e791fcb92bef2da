import {
  type Conversation,
  dial,
  openConversation,
  type Secured,
  type ServerTls,
  secretOf,
  startTls,
} from '@callahead/core';
import test, { type ExecutionContext } from 'ava';
import { createAuthority, createCertificate } from '../support/certificates.ts';
import { type FakeOptions, type FakeServer, startFakeServer } from '../support/fake-server.ts';

const now = (): number => performance.now();
const authority = createAuthority();
const right = createCertificate({ names: ['mx.example', '127.0.0.1'], issuer: authority });
const ours = createCertificate({ names: ['gateway.example'], issuer: authority });

const REQUIRED: ServerTls = {
  mode: 'required',
  verify: true,
  ca: authority.cert,
  identity: null,
  servername: null,
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  ciphers: 'DEFAULT',
};

type Met = Readonly<{ server: FakeServer; plain: Conversation; secured: Secured }>;

/** Greeting, EHLO, STARTTLS. */
async function meet(
  t: ExecutionContext,
  options: FakeOptions,
  tls: Partial<ServerTls> = {},
  { name = 'mx.example', withinMs = 5_000 } = {},
): Promise<Met> {
  const server = await startFakeServer({ tls: right, users: ['a@x.example'], ...options });
  t.teardown(server.stop);
  const dialed = await dial({ kind: 'tcp', address: '127.0.0.1', port: server.port, from: { kind: 'auto' } }, 1_000);
  if (dialed.kind !== 'open') throw new Error(dialed.detail);
  const times = { now, commandTimeoutMs: 2_000 };
  const plain = openConversation(dialed.socket, times);
  t.teardown(plain.destroy);
  await plain.greeting(now() + 5_000);
  await plain.cmd('EHLO me.example', now() + 5_000);
  const secured = await startTls(plain, { tls: { ...REQUIRED, ...tls }, name, deadlineMs: now() + withinMs, ...times });
  return { server, plain, secured };
}

function openIn({ secured }: Met): Conversation {
  if (secured.kind !== 'secure') throw new Error(JSON.stringify(secured));
  return secured.conversation;
}

/** Why there is no TLS; the connection is closed when this settles. */
async function failureOf({ secured }: Met): Promise<string> {
  if (secured.kind !== 'failed') throw new Error(`not failed but ${secured.kind}`);
  await secured.closed;
  return secured.detail;
}

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`a conversation goes on over ${maxVersion}, and its transcript with it`, async (t) => {
    const met = await meet(t, {}, { maxVersion });
    const smtp = openIn(met);
    const said = await Promise.all(
      smtp.cmds(['EHLO me.example', 'MAIL FROM:<>', 'RCPT TO:<a@x.example>'], now() + 5_000),
    );
    t.true(said.every((one) => one.kind === 'reply' && one.reply.code === 250));
    t.false(met.plain.usable());
    const lines = smtp.transcript();
    t.regex(lines[0] ?? '', /^-- connected to/);
    t.true(
      lines.some((line) => new RegExp(`^-- TLS: ${maxVersion} \\S+, certificate valid for mx\\.example$`).test(line)),
    );
    t.is(lines.filter((line) => line.startsWith('-- connected')).length, 1);
    t.deepEqual(met.server.sessions[0]?.plainLines, ['EHLO me.example', 'STARTTLS']);
    t.is(met.server.sessions[0]?.secure?.servername, 'mx.example');
    await smtp.quit(1_000);
    await Promise.all([smtp.closed, met.plain.closed]);
  });
}

test('what comes behind the 220 in plain text is not taken for an answer', async (t) => {
  const met = await meet(t, {
    on: { STARTTLS: () => ({ starttls: '220 Go on\r\n250-fake.example\r\n250 AUTH PLAIN\r\n250 2.1.5 Ok\r\n25' }) },
  });
  const smtp = openIn(met);
  const said = await smtp.cmd('NOOP', now() + 5_000);
  t.like(said, { kind: 'reply', reply: { code: 250, text: 'Ok', enhanced: '2.0.0' } });
  t.true(smtp.usable());
  t.true(smtp.transcript().includes('-- what came behind it is thrown away'));
});

test('a server that refuses STARTTLS can be talked to as before', async (t) => {
  const met = await meet(t, { on: { STARTTLS: () => '454 4.7.0 TLS not available' } });
  t.like(met.secured, { kind: 'refused', reply: { code: 454 } });
  t.true(met.plain.usable());
  t.like(await met.plain.cmd('NOOP', now() + 5_000), { kind: 'reply' });
});

const refused: readonly Readonly<{ title: string; tls: FakeOptions['tls'] & object; name?: string; detail: RegExp }>[] =
  [
    {
      title: 'expired',
      tls: createCertificate({ names: ['mx.example'], issuer: authority, expiresInDays: -1 }),
      detail: /expired/,
    },
    { title: 'of another name', tls: right, name: 'other.example', detail: /other\.example/ },
    { title: 'that vouches for itself', tls: createCertificate({ names: ['mx.example'] }), detail: /self-signed/ },
    {
      title: 'of an authority that we do not know',
      tls: createCertificate({ names: ['mx.example'], issuer: createAuthority('Another') }),
      detail: /unable to (get|verify)/,
    },
  ];

for (const { title, tls, name = 'mx.example', detail } of refused) {
  test(`a certificate ${title} is refused where TLS is required, and by nobody else`, async (t) => {
    const verified = await meet(t, { tls }, {}, { name });
    t.regex(await failureOf(verified), detail);
    t.deepEqual(verified.server.sessions[0]?.lines.slice(-2), ['STARTTLS', '(starttls)']);
    for (const lax of [{ verify: false }, { mode: 'optional' }] as const) {
      const smtp = openIn(await meet(t, { tls }, lax, { name }));
      t.true(smtp.transcript().some((line) => line.includes('certificate not verified')));
    }
  });
}

test('a certificate may name the address that was written in place of a name, and SNI never does', async (t) => {
  const met = await meet(t, {}, {}, { name: '127.0.0.1' });
  openIn(met);
  t.falsy(met.server.sessions[0]?.secure?.servername);
});

test('servername is asked for and expected in place of the name that led there', async (t) => {
  const met = await meet(t, {}, { servername: 'mx.example' }, { name: 'other.example' });
  openIn(met);
  t.is(met.server.sessions[0]?.secure?.servername, 'mx.example');
});

test('a server that wants a certificate gets ours', async (t) => {
  const identity = { cert: ours.cert, key: secretOf(ours.key) };
  const met = await meet(t, { tls: { ...right, ca: authority.cert, requestCert: true } }, { identity });
  await openIn(met).cmd('NOOP', now() + 5_000);
  t.is(met.server.sessions[0]?.secure?.getPeerCertificate().subject.CN, 'gateway.example');
});

test('a server that wants a certificate and gets none ends it', async (t) => {
  const tls = { ...right, ca: authority.cert, requestCert: true };
  t.regex(await failureOf(await meet(t, { tls }, { maxVersion: 'TLSv1.2' })), /handshake|certificate/);
  // TLS 1.3 tells the client when its side of the handshake is done already (RFC 8446 §4.4.2.4).
  const said = await openIn(await meet(t, { tls })).cmd('NOOP', now() + 5_000);
  t.like(said, { kind: 'broken', cause: 'connect' });
});

test('a server that does not speak the version that we want is refused', async (t) => {
  t.regex(
    await failureOf(await meet(t, { tls: { ...right, maxVersion: 'TLSv1.2' } }, { minVersion: 'TLSv1.3' })),
    /version/,
  );
});

test('a server that breaks the handshake is given up', async (t) => {
  const garbage = await meet(t, {
    on: {
      STARTTLS: ({ session: { socket } }) => {
        socket.once('data', () => socket.write('500 5.5.2 What?\r\n'));
        return { raw: '220 Go on\r\n' };
      },
    },
  });
  t.regex(await failureOf(garbage), /wrong version number|packet/);
  const gone = await meet(t, { on: { STARTTLS: () => ({ reply: '220 Go on', close: true }) } });
  t.regex(await failureOf(gone), /closed|disconnected|ECONNRESET/);
});

test('a handshake that does not come ends at the deadline', async (t) => {
  const silent: FakeOptions = {
    on: {
      STARTTLS: ({ session }) => {
        session.socket.write('220 Go on\r\n');
        return { kind: 'silent' };
      },
    },
  };
  t.is(await failureOf(await meet(t, silent, {}, { withinMs: 100 })), 'TLS: no handshake in time');
});

test('TLS that cannot be begun is a value, too', async (t) => {
  const met = await meet(t, {}, { identity: { cert: 'no certificate', key: secretOf('no key') } });
  t.regex(await failureOf(met), /^TLS: no start line|PEM/);
});
