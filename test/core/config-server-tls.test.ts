import test from 'ava';
import { createAuthority, createCertificate } from '../support/certificates.ts';
import { load, problemsWith, smallest } from '../support/configuration.ts';

const authority = createAuthority();
const ours = createCertificate({ names: ['gateway.example'], issuer: authority });
const another = createCertificate({ names: ['gateway.example'], issuer: authority });

const files = {
  'ca.pem': authority.cert,
  'cert.pem': ours.cert,
  'key.pem': ours.key,
  'another.pem': another.key,
  'encrypted.pem': '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n',
  'text.pem': 'what I wanted to say\n',
  pw: 'geheim\n',
  empty: '\n',
  long: 'x'.repeat(129),
};

const withLines = (...lines: readonly string[]): string =>
  smallest.replace('    servers:', () => `${lines.map((line) => `    ${line}\n`).join('')}    servers:`);

const probeOf = (...lines: readonly string[]) => {
  const probe = load(withLines(...lines), {}, files).configuration.profiles.get('corp')?.probe;
  if (probe === undefined) throw new Error('no profile');
  return probe;
};

/** A test: lines of the profile, the first of which stands in line 11, are wrong in just these ways. */
function wrong(title: string, lines: readonly string[], ...problems: readonly string[]): void {
  test(title, (t) => {
    t.deepEqual(
      problemsWith(files, withLines(...lines)),
      problems.map((problem) => `callahead.yaml:${problem}`),
    );
  });
}

const secured = 'tls: {mode: required, cert: cert.pem, key: key.pem}';

test('there is no TLS and no AUTH where nobody asks for them', (t) => {
  t.like(probeOf(), { tls: null, auth: null });
  t.is(probeOf('tls: {mode: off}').tls, null);
});

test('TLS verifies, and speaks what OpenSSL takes for right from TLS 1.2 on', (t) => {
  t.deepEqual(probeOf('tls: {mode: required}').tls, {
    mode: 'required',
    verify: true,
    ca: null,
    identity: null,
    servername: null,
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    ciphers: 'DEFAULT',
  });
});

test('certificates are read with the configuration, and what is secret does not show', (t) => {
  const probe = probeOf(
    'tls: {mode: required, ca: ca.pem, cert: cert.pem, key: key.pem}',
    'auth: {user: gw, passwordFile: pw}',
  );
  t.is(probe.tls?.ca, authority.cert);
  t.is(probe.tls?.identity?.cert, ours.cert);
  t.is(probe.tls?.identity?.key.reveal(), ours.key);
  t.is(probe.auth?.password.reveal(), 'geheim');
  t.false(/geheim|PRIVATE/.test(JSON.stringify(probe)));
});

wrong(
  'TLS without a client certificate is doubtful, and no more',
  ['tls: {mode: optional}'],
  '11:10: warning: callAheadProfiles.corp.tls: TLS without a client certificate: expected cert and key, if the servers ask',
);
wrong(
  'the key is the one of the certificate',
  ['tls: {mode: required, cert: cert.pem, key: another.pem}'],
  '11:48: callAheadProfiles.corp.tls.key: "another.pem" is not the key of "cert.pem": expected the one that belongs to it',
);
wrong(
  'a certificate has its key',
  ['tls: {mode: required, cert: cert.pem}'],
  '11:5: callAheadProfiles.corp.tls.key: missing: expected the key of cert',
);
wrong(
  'files that are not there or hold something else are named where they stand',
  ['tls: {mode: required, ca: nowhere.pem, cert: text.pem, key: encrypted.pem}'],
  '11:31: callAheadProfiles.corp.tls.ca: "nowhere.pem" cannot be read (ENOENT: no such file, open \'nowhere.pem\'): expected a file',
);
wrong(
  'what is no PEM is told of each file, without a word of what is in it',
  ['tls: {mode: required, ca: text.pem, cert: text.pem, key: encrypted.pem}'],
  '11:31: callAheadProfiles.corp.tls.ca: "text.pem" holds no certificates: expected a PEM file of them',
  '11:47: callAheadProfiles.corp.tls.cert: "text.pem" holds no certificate: expected a PEM file of one',
  '11:62: callAheadProfiles.corp.tls.key: "encrypted.pem" is encrypted: expected a PEM file of an unencrypted private key',
);
wrong(
  'the oldest version is not newer than the newest',
  ['tls: {mode: required, cert: cert.pem, key: key.pem, minVersion: TLSv1.3, maxVersion: TLSv1.2}'],
  '11:69: callAheadProfiles.corp.tls.minVersion: "TLSv1.3" is newer than maxVersion "TLSv1.2"',
);
wrong(
  'a cipher list names ciphers',
  ['tls: {mode: required, cert: cert.pem, key: key.pem, ciphers: NONSENSE}'],
  '11:66: callAheadProfiles.corp.tls.ciphers: "NONSENSE" names no cipher: expected a cipher list in OpenSSL\'s words',
);
wrong(
  'a password is not sent in plain text',
  ['auth: {user: gw, passwordFile: pw}'],
  '11:11: callAheadProfiles.corp.auth: a password is sent over TLS only: expected tls.mode required',
);
wrong(
  'a password for whoever answers is doubtful',
  ['tls: {mode: required, verify: false, cert: cert.pem, key: key.pem}', 'auth: {user: gw, passwordFile: pw}'],
  '12:11: warning: callAheadProfiles.corp.auth: whoever answers gets the password: expected tls.mode required and tls.verify true',
);
wrong(
  'a user has a password',
  [secured, 'auth: {user: gw}'],
  '12:5: callAheadProfiles.corp.auth.passwordFile: missing: expected the password of user',
);
wrong(
  'a user has one password',
  [secured, 'auth: {user: gw, password: geheim, passwordFile: pw}'],
  '12:32: callAheadProfiles.corp.auth.password: given twice: expected password or passwordFile',
);
wrong(
  'a file with a password has one',
  [secured, 'auth: {user: gw, passwordFile: empty}'],
  '12:36: callAheadProfiles.corp.auth.passwordFile: "empty" is empty: expected a password',
);
wrong(
  'a password that no command line can hold is not shown',
  [secured, 'auth: {user: gw, passwordFile: long}'],
  '12:36: callAheadProfiles.corp.auth.passwordFile: what "long" holds is too long: expected 1..128 octets without control characters',
);
