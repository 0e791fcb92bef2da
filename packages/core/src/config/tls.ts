import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { TlsVersion } from '../profile.ts';
import { type Secret, secretOf } from '../secret.ts';
import { errorAt, type Fault } from './faults.ts';
import { choice, flag, text } from './fields.ts';
import type { Files } from './files.ts';
import { checkFile, textIn } from './named-files.ts';
import { fault, type Parsed, show, value } from './parsed.ts';
import type { Plain } from './plain.ts';
import type { Path } from './positions.ts';

const versions = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const satisfies readonly TlsVersion[];
const pemForm = 'a path';

/** How the mode is said; what it means differs. */
export function tlsMode(sentence: string, byDefault: 'off' | 'optional' = 'off') {
  return choice(['off', 'optional', 'required'], sentence).prefault(byDefault);
}

/** Whom a client of TLS believes, and who it is itself. */
export const clientTls = {
  verify: flag(true, 'Refuse a certificate that no authority vouches for or that names another host.'),
  ca: text(nonEmpty, pemForm, 'PEM file of the authorities to believe; left out, those that Node knows.').optional(),
  ...ownCertificate('PEM file of our own certificate, with those between it and the authority; needs key.'),
  servername: text(
    nonEmpty,
    'a host name',
    'The name that the certificate must carry; left out, the name that led to the address.',
  ).optional(),
  minVersion: oldestVersion(),
};

/** Who a server of TLS is. */
export const serverIdentity = {
  ...ownCertificate('PEM file of our certificate, with those between it and the authority; needed for TLS, with key.'),
  minVersion: oldestVersion(),
};

/** Which versions and ciphers are spoken with mail servers and clients. */
export const mailTls = {
  maxVersion: choice(versions, 'The newest version of TLS.').prefault('TLSv1.3'),
  ciphers: text(
    parseCiphers,
    "a cipher list in OpenSSL's words",
    "The ciphers of versions up to TLSv1.2, in OpenSSL's words; versions below TLSv1.2 need DEFAULT@SECLEVEL=0.",
  ).prefault('DEFAULT'),
};

function ownCertificate(sentence: string) {
  return {
    cert: text(nonEmpty, pemForm, sentence).optional(),
    key: text(nonEmpty, pemForm, 'PEM file of its key.').optional(),
  };
}

function oldestVersion() {
  return choice(versions, 'The oldest version of TLS.').prefault('TLSv1.2');
}

/** Files that cannot be read or are not what they should be, and a key that is not the certificate's. `tls` as it stands in the file. */
export function checkTls(path: Path, tls: Plain, files: Files): readonly Fault[] {
  const unreadable = ['ca', 'cert', 'key'].flatMap((key) => checkFile([...path, key], tls[key], files));
  const { cert = null, key = null, minVersion = 'TLSv1.2', maxVersion = 'TLSv1.3' } = tls;
  if (cert !== null && key === null) unreadable.push(errorAt([...path, 'key'], 'missing: expected the key of cert'));
  if (key !== null && cert === null)
    unreadable.push(errorAt([...path, 'cert'], 'missing: expected the certificate of key'));
  if (rank(minVersion) > rank(maxVersion))
    unreadable.push(
      errorAt([...path, 'minVersion'], `${show(minVersion)} is newer than maxVersion ${show(maxVersion)}`),
    );
  return unreadable.length > 0 ? unreadable : checkPem(path, tls, files);
}

function rank(version: unknown): number {
  return (versions as readonly unknown[]).indexOf(version);
}

function checkPem(path: Path, { ca, cert, key }: Plain, files: Files): readonly Fault[] {
  const faults: Fault[] = [];
  const wrong = (name: string, file: string, why: string): void => {
    faults.push(errorAt([...path, name], `${show(file)} ${why}`));
  };
  if (typeof ca === 'string' && certificatesIn(textIn(ca, files)) === null)
    wrong('ca', ca, 'holds no certificates: expected a PEM file of them');
  if (typeof cert !== 'string' || typeof key !== 'string') return faults;
  const [own] = certificatesIn(textIn(cert, files)) ?? [];
  if (own === undefined) wrong('cert', cert, 'holds no certificate: expected a PEM file of one');
  const ownKey = keyIn(textIn(key, files));
  if (typeof ownKey === 'string') wrong('key', key, `${ownKey}: expected a PEM file of an unencrypted private key`);
  else if (own !== undefined && !own.checkPrivateKey(ownKey))
    wrong('key', key, `is not the key of ${show(cert)}: expected the one that belongs to it`);
  return faults;
}

/** null: none, or something that only looks like one. */
export function certificatesIn(pem: string): readonly X509Certificate[] | null {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs);
  try {
    return blocks?.map((block) => new X509Certificate(block)) ?? null;
  } catch {
    return null;
  }
}

/** The key, or why it is none. What the library says of it is not passed on: it may quote the file. */
function keyIn(pem: string): KeyObject | string {
  if (/ENCRYPTED/.test(pem)) return 'is encrypted';
  try {
    return createPrivateKey(pem);
  } catch {
    return 'holds no private key';
  }
}

type Identity = Readonly<{ cert: string; key: Secret }>;

/** The texts of the files that `clientTls` or `serverIdentity` name. */
export function buildTlsFiles(
  settings: Readonly<{ ca?: string | undefined; cert?: string | undefined; key?: string | undefined }>,
  files: Files,
): Readonly<{ ca: string | null; identity: Identity | null }> {
  const { ca, cert, key } = settings;
  const identity =
    cert === undefined || key === undefined ? null : { cert: textIn(cert, files), key: secretOf(textIn(key, files)) };
  return { ca: ca === undefined ? null : textIn(ca, files), identity };
}

function parseCiphers(input: string): Parsed<string> {
  try {
    createSecureContext({ ciphers: input });
    return value(input);
  } catch {
    return fault('names no cipher');
  }
}

function nonEmpty(input: string): Parsed<string> {
  return input === '' ? fault('is empty') : value(input);
}
