/** TLS and AUTH with the servers that are asked: what a sender hears, what the log says, and what the server saw in plain text (SPEC 9.1). */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { createAuthority, createCertificate } from '../support/certificates.ts';
import { type Chain, openChain } from '../support/chain.ts';
import { temporaryFolder } from '../support/debian.ts';
import { startFakeDns } from '../support/fake-dns.ts';
import { type FakeOptions, type FakeServer, type Handler, startFakeServer } from '../support/fake-server.ts';

const authority = createAuthority();
const stranger = createAuthority('Nobody we know');
const ours = createCertificate({ names: ['mx.gateway.example'], issuer: authority });
const right = createCertificate({ names: ['127.0.0.1'], issuer: authority });
const expired = createCertificate({ names: ['127.0.0.1'], issuer: authority, expiresInDays: -1 });
const misnamed = createCertificate({ names: ['elsewhere.example'], issuer: authority });
const selfSigned = createCertificate({ names: ['127.0.0.1'] });
const strange = createCertificate({ names: ['127.0.0.1'], issuer: stranger });

const known = { users: ['known@example.com'] };
const wantsOurs = { ...right, ca: authority.cert, requestCert: true };
const passwords = { gw: 'geheim' };

/** It says that it will, and does not. */
const breaks: Handler = ({ session }) => {
  session.socket.once('data', () => session.socket.write('500 5.5.2 What?\r\n'));
  return { raw: '220 2.0.0 Ready\r\n' };
};
const hangsUp: Handler = () => ({ reply: '220 2.0.0 Ready', close: true });
const silent: Handler = ({ session }) => {
  session.socket.write('220 2.0.0 Ready\r\n');
  return { kind: 'silent' };
};
const notNow: Handler = () => '454 4.7.0 TLS not available';
const injects: Handler = () => ({
  starttls: '220 2.0.0 Ready\r\n250-x\r\n250 PIPELINING\r\n250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n',
});

type Settings = Readonly<Record<string, unknown>>;
type Row = Readonly<{
  title: string;
  server: FakeOptions;
  tls: Settings;
  profile?: Settings;
  hears: string;
  /** How the server was talked to when it was asked about a recipient; null: it never was. */
  asked: 'encrypted' | 'plain' | null;
  /** Connections to it. */
  sessions?: number;
  /** In the logged dialogue. */
  says?: RegExp;
}>;

const required = { mode: 'required' };
const optional = { mode: 'optional' };
const FOUND = '250 2.1.5';
const NO_TLS = '451 4.7.5';
const PATIENT = { validationTimeout: 20 };

const rows: readonly Row[] = [
  { title: 'required: TLS', server: { ...known, tls: right }, tls: required, hears: FOUND, asked: 'encrypted' },
  { title: 'optional: TLS', server: { ...known, tls: right }, tls: optional, hears: FOUND, asked: 'encrypted' },
  {
    title: 'off: STARTTLS is not said',
    server: { ...known, tls: right },
    tls: { mode: 'off' },
    hears: FOUND,
    asked: 'plain',
  },
  {
    title: 'required: STARTTLS is not offered',
    server: known,
    tls: required,
    hears: NO_TLS,
    asked: null,
    says: /does not offer/,
  },
  {
    title: 'optional: STARTTLS is not offered',
    server: known,
    tls: optional,
    hears: FOUND,
    asked: 'plain',
    sessions: 1,
  },
  {
    title: 'required: STARTTLS is refused',
    server: { ...known, tls: right, on: { STARTTLS: notNow } },
    tls: required,
    hears: NO_TLS,
    asked: null,
    says: /S: 454 4\.7\.0/,
  },
  {
    title: 'optional: STARTTLS is refused, and the same connection goes on',
    server: { ...known, tls: right, on: { STARTTLS: notNow } },
    tls: optional,
    hears: FOUND,
    asked: 'plain',
    sessions: 1,
  },
  {
    title: 'the server leaves when STARTTLS is said',
    server: { ...known, tls: right, on: { STARTTLS: () => ({ reply: '421 4.3.2 Going down', close: true }) } },
    tls: required,
    hears: '451 4.3.2',
    asked: null,
  },
  {
    title: 'required: the handshake breaks',
    server: { ...known, tls: right, on: { STARTTLS: breaks } },
    tls: required,
    hears: NO_TLS,
    asked: null,
    says: /-- TLS: /,
  },
  {
    title: 'optional: the handshake breaks, and a fresh connection is in plain text',
    server: { ...known, tls: right, on: { STARTTLS: breaks } },
    tls: optional,
    hears: FOUND,
    asked: 'plain',
    sessions: 2,
  },
  {
    title: 'required: the server hangs up in the handshake',
    server: { ...known, tls: right, on: { STARTTLS: hangsUp } },
    tls: required,
    hears: NO_TLS,
    asked: null,
  },
  {
    title: 'optional: the server hangs up in the handshake',
    server: { ...known, tls: right, on: { STARTTLS: hangsUp } },
    tls: optional,
    hears: FOUND,
    asked: 'plain',
    sessions: 2,
  },
  {
    title: 'required: the server is silent in the handshake',
    server: { ...known, tls: right, on: { STARTTLS: silent } },
    tls: required,
    profile: { commandTimeout: 0.5 },
    hears: NO_TLS,
    asked: null,
    says: /no handshake in time/,
  },
  {
    title: 'optional: the server is silent in the handshake, and time is left for plain text',
    server: { ...known, tls: right, on: { STARTTLS: silent } },
    tls: optional,
    profile: { validationTimeout: 9 },
    hears: FOUND,
    asked: 'plain',
    sessions: 2,
  },
  {
    title: 'required: expired',
    server: { ...known, tls: expired },
    tls: required,
    hears: NO_TLS,
    asked: null,
    says: /expired/,
  },
  {
    title: 'required: another name',
    server: { ...known, tls: misnamed },
    tls: required,
    hears: NO_TLS,
    asked: null,
    says: /is not in the cert/,
  },
  {
    title: 'required: self-signed',
    server: { ...known, tls: selfSigned },
    tls: required,
    hears: NO_TLS,
    asked: null,
    says: /self-signed/,
  },
  {
    title: 'required: an authority unknown',
    server: { ...known, tls: strange },
    tls: required,
    hears: NO_TLS,
    asked: null,
  },
  {
    title: 'required without verification: expired',
    server: { ...known, tls: expired },
    tls: { ...required, verify: false },
    hears: FOUND,
    asked: 'encrypted',
  },
  { title: 'optional: expired', server: { ...known, tls: expired }, tls: optional, hears: FOUND, asked: 'encrypted' },
  {
    title: 'optional: another name',
    server: { ...known, tls: misnamed },
    tls: optional,
    hears: FOUND,
    asked: 'encrypted',
  },
  {
    title: 'optional: self-signed',
    server: { ...known, tls: selfSigned },
    tls: optional,
    hears: FOUND,
    asked: 'encrypted',
  },
  {
    title: 'required: the name that the operator expects',
    server: { ...known, tls: misnamed },
    tls: { ...required, servername: 'elsewhere.example' },
    hears: FOUND,
    asked: 'encrypted',
  },
  {
    title: 'required: text injected before the handshake is no answer',
    server: { users: [], tls: right, on: { STARTTLS: injects } },
    tls: required,
    hears: '550 5.1.1',
    asked: 'encrypted',
  },
  {
    title: 'optional: text injected before the handshake is no answer',
    server: { users: [], tls: right, on: { STARTTLS: injects } },
    tls: optional,
    hears: '550 5.1.1',
    asked: 'encrypted',
  },
  {
    title: 'required: the server wants a certificate and gets none',
    server: { ...known, tls: wantsOurs },
    tls: required,
    hears: NO_TLS,
    asked: null,
    says: /CERTIFICATE_REQUIRED|certificate required/,
  },
  {
    title: 'required: the server wants a certificate and gets none, over TLS 1.2',
    server: { ...known, tls: wantsOurs },
    tls: { ...required, maxVersion: 'TLSv1.2' },
    hears: NO_TLS,
    asked: null,
  },
  {
    title: 'required: the server wants a certificate and gets ours',
    server: { ...known, tls: wantsOurs },
    tls: { ...required, cert: 'ours.pem', key: 'ours-key.pem' },
    hears: FOUND,
    asked: 'encrypted',
  },
  {
    title: 'optional: the server wants a certificate and gets none, and plain text will do',
    server: { ...known, tls: wantsOurs },
    tls: optional,
    hears: FOUND,
    asked: 'plain',
    sessions: 2,
  },
  {
    title: 'required: the server is older than we want',
    server: { ...known, tls: { ...right, maxVersion: 'TLSv1.2' } },
    tls: { ...required, minVersion: 'TLSv1.3' },
    hears: NO_TLS,
    asked: null,
    says: /version/,
  },
  {
    title: 'a server that only knows HELO has no TLS, and the refusal is about us',
    server: { ...known, on: { EHLO: () => '502 5.5.1 What?' } },
    tls: required,
    hears: '451 4.5.0',
    asked: null,
  },
  {
    title: 'off: a server that wants TLS says so at MAIL, which says nothing about the recipient',
    server: { ...known, capabilities: [], on: { MAIL: () => '530 5.7.0 Must issue a STARTTLS command first' } },
    tls: { mode: 'off' },
    hears: '451 4.5.0',
    asked: null,
  },
  {
    title: 'AUTH PLAIN',
    server: { ...known, tls: right, passwords },
    tls: required,
    profile: { auth: { user: 'gw', password: 'geheim' } },
    hears: FOUND,
    asked: 'encrypted',
  },
  {
    title: 'AUTH LOGIN',
    server: { ...known, tls: right, passwords, mechanisms: ['LOGIN', 'CRAM-MD5'] },
    tls: required,
    profile: { auth: { user: 'gw', password: 'geheim' } },
    hears: FOUND,
    asked: 'encrypted',
  },
  {
    title: 'AUTH is refused, which says nothing about the recipient',
    server: { ...known, tls: right, passwords },
    tls: required,
    profile: { auth: { user: 'gw', password: 'forgotten' } },
    hears: '451 4.5.0',
    asked: null,
    says: /C: AUTH PLAIN \*{4}/,
  },
  {
    title: 'AUTH is refused for now',
    server: { ...known, tls: right, passwords, on: { AUTH: () => '454 4.7.0 Temporary authentication failure' } },
    tls: required,
    profile: { auth: { user: 'gw', password: 'geheim' } },
    hears: '451 4.7.0',
    asked: null,
  },
  {
    title: 'AUTH by no mechanism that we speak',
    server: { ...known, tls: right, passwords, mechanisms: ['XOAUTH2'] },
    tls: required,
    profile: { auth: { user: 'gw', password: 'geheim' } },
    hears: '451 4.5.0',
    asked: null,
  },
  {
    title: 'AUTH is not said in plain text, though TLS is optional and not offered',
    server: { ...known, capabilities: ['PIPELINING', 'AUTH PLAIN LOGIN'] },
    tls: optional,
    profile: { auth: { user: 'gw', password: 'geheim' } },
    hears: '451 4.5.0',
    asked: null,
  },
  {
    title: 'AUTH is not said in plain text, though TLS is optional and breaks',
    server: { ...known, tls: right, passwords, on: { STARTTLS: breaks } },
    tls: optional,
    profile: { auth: { user: 'gw', password: 'geheim' } },
    hears: '451 4.5.0',
    asked: null,
    sessions: 1,
  },
];

let chain: Chain;
const closers: (() => Promise<void>)[] = [];

test.before(async (t) => {
  const folder = await temporaryFolder('tls');
  closers.push(folder.remove);
  const at = (name: string): string => join(folder.path, name);
  await writeFile(at('ca.pem'), authority.cert);
  await writeFile(at('ours.pem'), ours.cert);
  await writeFile(at('ours-key.pem'), ours.key);
  const inFolder = ({ cert, key, ...tls }: Settings): Settings => ({
    ca: at('ca.pem'),
    ...tls,
    ...(cert === undefined ? {} : { cert: at(String(cert)), key: at(String(key)) }),
  });
  const owner = {
    teardown: (close: () => Promise<void>) => void closers.unshift(close),
    fail: (why: string) => void t.fail(why),
  };
  chain = await openChain(owner, {
    servers: rows.map(({ server }) => server),
    rows: rows.map(({ tls, profile = {} }) => ({ ...PATIENT, ...profile, tls: inFolder(tls) })),
  });
});

test.after.always(async () => {
  for (const close of closers) await close();
});

for (const [i, { title, hears, asked, sessions, says }] of rows.entries()) {
  test(title, async (t) => {
    const server = chain.servers[i];
    if (server === undefined) throw new Error('no server');
    const transcript = await chain.ask(
      `
      C: RCPT TO:<known@example.com>
      S: ${hears}
    `,
      `row${i}`,
    );
    t.is(server.asked.length, asked === null ? 0 : 1);
    t.is(mailsIn(server, 'plain'), asked === 'plain' ? 1 : 0, 'in plain text');
    t.is(mailsIn(server, 'encrypted'), asked === 'encrypted' ? 1 : 0, 'encrypted');
    if (sessions !== undefined) t.is(server.sessions.length, sessions);
    t.is(server.mostOpen(), 1, 'one loan, one connection');
    t.false(plainWords(server).some((line) => line.startsWith('AUTH')));
    if (hears !== FOUND) {
      const logged = dialogueOf(transcript);
      t.regex(logged, says ?? /C: EHLO/);
      t.notRegex(logged, /geheim|forgotten|C: AUTH \w+ [^*]|PRIVATE/);
    }
  });
}

/** MAIL commands; a server that refuses the first one was not asked. */
function mailsIn(server: FakeServer, how: 'plain' | 'encrypted'): number {
  const lines = server.sessions.flatMap((session) =>
    session.accepted.length + session.rcpts > 0 ? wordsOf(session) : [],
  );
  return lines.filter((line) => line.startsWith('MAIL')).length;

  function wordsOf({ lines: all, plainLines }: FakeServer['sessions'][number]): readonly string[] {
    return how === 'plain' ? plainLines : all.slice(plainLines.length);
  }
}

function plainWords(server: FakeServer): readonly string[] {
  return server.sessions.flatMap((session) => session.plainLines);
}

function dialogueOf(transcript: string): string {
  const ref = /\((\w+)\)$/m.exec(transcript)?.[1];
  const found = chain.events.find((event) => event.event === 'probe.dialogue' && event.ref === ref);
  return found?.event === 'probe.dialogue' ? found.lines.join('\n') : '';
}

test('nothing that TLS has to do with is cached', async (t) => {
  const at = rows.findIndex(({ title }) => title === 'required: expired');
  const server = chain.servers[at];
  for (let i = 0; i < 2; i++) {
    const before = server?.sessions.length ?? 0;
    await chain.ask(
      `
      C: RCPT TO:<another@example.com>
      S: ${NO_TLS}
    `,
      `row${at}`,
    );
    t.is(server?.sessions.length, before + 1);
  }
});

test('TLS that is optional and broke is not tried again for a while', async (t) => {
  const chain = await openChain(t, {
    servers: [{ ...known, tls: right, on: { STARTTLS: breaks } }],
    profile: { tls: optional, maxRecipientsPerSession: 1 },
  });
  await chain.ask(`
    C: RCPT TO:<known@example.com>
    S: 250 2.1.5
    C: RCPT TO:<nobody@example.com>
    S: 550 5.1.1
  `);
  const lines = chain.servers[0]?.sessions.flatMap((session) => session.lines) ?? [];
  t.is(lines.filter((line) => line === 'STARTTLS').length, 1);
  t.is(chain.servers[0]?.sessions.length, 3);
});

test('the certificate names the MX target, not the domain whose mail it takes', async (t) => {
  const folder = await temporaryFolder('tls');
  t.teardown(folder.remove);
  await writeFile(join(folder.path, 'ca.pem'), authority.cert);
  const dns = await startFakeDns({
    'example.com': [{ type: 'MX', data: [10, 'mx.provider.example'] }],
    'mx.provider.example': [{ type: 'A', data: '127.0.0.1' }],
  });
  t.teardown(dns.stop);
  for (const [name, hears] of [
    ['mx.provider.example', FOUND],
    ['example.com', NO_TLS],
  ] as const) {
    const server = await startFakeServer({ ...known, tls: createCertificate({ names: [name], issuer: authority }) });
    t.teardown(server.stop);
    const chain = await openChain(t, {
      servers: [],
      profile: { servers: `example.com:${server.port}`, tls: { ...required, ca: join(folder.path, 'ca.pem') } },
      sections: { dns: { servers: [dns.at], allowReserved: true } },
    });
    await chain.ask(`
      C: RCPT TO:<known@example.com>
      S: ${hears}
    `);
    t.is(server.sessions[0]?.secure?.servername, 'mx.provider.example');
  }
});
