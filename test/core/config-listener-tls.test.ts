import { parseConfiguration } from '@callahead/core/config';
import test from 'ava';
import { createAuthority, createCertificate } from '../support/certificates.ts';
import { load, problemsWith, smallest } from '../support/configuration.ts';

const issuer = createAuthority();
const ours = createCertificate({ names: ['mx1.gateway.example'], issuer });
const expired = createCertificate({ names: ['mx1.gateway.example'], issuer, expiresInDays: -1 });
const files = {
  'cert.pem': ours.cert,
  'key.pem': ours.key,
  'another.pem': expired.key,
  'expired.pem': expired.cert,
};

const withLine = (line: string): string => smallest.replace('    postmaster:', () => `    ${line}\n    postmaster:`);

const tlsOf = (line: string) => load(withLine(line), {}, files).configuration.listeners[0]?.tls;

function wrong(title: string, line: string, ...problems: readonly string[]): void {
  test(title, (t) => {
    t.deepEqual(
      problemsWith(files, withLine(line)),
      problems.map((problem) => `callahead.yaml:8:${problem}`),
    );
  });
}

test('a listener speaks no TLS where nobody asks for it', (t) => {
  t.is(load(smallest).configuration.listeners[0]?.tls, null);
  t.is(tlsOf('tls: {mode: off, cert: cert.pem, key: key.pem}'), null);
});

test('the certificate of a listener is read with the configuration, and its key does not show', (t) => {
  const tls = tlsOf('tls: {mode: optional, cert: cert.pem, key: key.pem}');
  t.like(tls, { mode: 'optional', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3', ciphers: 'DEFAULT' });
  t.is(tls?.identity.cert, ours.cert);
  t.is(tls?.identity.key.reveal(), ours.key);
  t.notRegex(JSON.stringify(tls), /PRIVATE/);
});

wrong(
  'a listener does not start with a certificate that is not its own',
  'tls: {mode: optional}',
  '5: listeners.inbound.tls.cert: missing: expected our certificate, and its key, for mode optional',
);
wrong(
  'the key of a listener is there',
  'tls: {mode: implicit, cert: cert.pem}',
  '5: listeners.inbound.tls.key: missing: expected the key of cert',
);
wrong(
  'the key of a listener is the one of its certificate',
  'tls: {mode: required, cert: cert.pem, key: another.pem}',
  '48: listeners.inbound.tls.key: "another.pem" is not the key of "cert.pem": expected the one that belongs to it',
);
wrong(
  'the modes of a listener are four',
  'tls: {mode: on}',
  '17: listeners.inbound.tls.mode: "on" is not right: expected off, optional, required or implicit',
);

test('a certificate that ran out, or is for later, is doubtful and no more', (t) => {
  const at = (nowMs: number): readonly string[] => {
    const readText = (file: string): string | Error => (file === 'key.pem' ? ours.key : ours.cert);
    const text = withLine('tls: {mode: optional, cert: cert.pem, key: key.pem}');
    return parseConfiguration(text, { file: '', env: {}, cores: 1, readText, nowMs }).warnings.map(
      ({ message }) => message,
    );
  };
  const DAY_MS = 86_400_000;
  t.deepEqual(at(Date.now()), []);
  t.regex(
    at(Date.now() + 2 * DAY_MS).join(),
    /^listeners\.inbound\.tls\.cert: "cert\.pem" expired on \d{4}-\d\d-\d\d: expected one that holds$/,
  );
  t.regex(
    at(Date.now() - 60 * DAY_MS).join(),
    /^listeners\.inbound\.tls\.cert: "cert\.pem" holds from \d{4}-\d\d-\d\d on only: expected one that holds$/,
  );
});

test('a policy that requires TLS needs a listener that speaks it', (t) => {
  const table =
    'hostAccess:\n  hosts: {senderGroups: [{name: all, match: ALL, policy: p}], policies: {p: {tls: required}}}\n';
  t.deepEqual(problemsWith(files, `${withLine('hostAccess: hosts')}${table}`), [
    'callahead.yaml:8:17: listeners.inbound.hostAccess: policy p of "hosts" requires TLS, which this listener does not speak: expected tls.mode optional or required',
  ]);
  const secured = withLine('hostAccess: hosts').replace(
    '    postmaster:',
    '    tls: {mode: optional, cert: cert.pem, key: key.pem}\n    postmaster:',
  );
  t.deepEqual(problemsWith(files, `${secured}${table}`), []);
});
