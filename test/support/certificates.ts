/** Certificates for tests, made here: an authority, and what it or nobody vouches for. Nothing of them is worth keeping. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';

/** PEM texts. */
export type Certificate = Readonly<{ cert: string; key: string }>;

export type CertificateOptions = Readonly<{
  /** Host names and addresses; the first one is the common name too. */
  names: readonly string[];
  /** left out: it vouches for itself. */
  issuer?: Authority;
  /** Days from now, or before it. */
  expiresInDays?: number;
}>;

export type Authority = Certificate & Readonly<{ name: string; signingKey: KeyObject }>;

const DAY_MS = 86_400_000;

export function createAuthority(name = 'Test Authority'): Authority {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const isAuthority = extension('2.5.29.19', sequence(Buffer.from([0x01, 0x01, 0xff])));
  const cert = issue({
    subject: name,
    issuer: name,
    publicKey,
    signingKey: privateKey,
    days: 1,
    extensions: [isAuthority],
  });
  return { cert, key: pemOf(privateKey), name, signingKey: privateKey };
}

export function createCertificate({ names, issuer, expiresInDays = 1 }: CertificateOptions): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const subject = names[0] ?? 'nobody.example';
  const cert = issue({
    subject,
    issuer: issuer?.name ?? subject,
    publicKey,
    signingKey: issuer?.signingKey ?? privateKey,
    days: expiresInDays,
    extensions: [extension('2.5.29.17', sequence(...names.map(alternativeName)))],
  });
  return { cert, key: pemOf(privateKey) };
}

/** Paths of PEM files. */
export type Certificates = Readonly<{ ca: string; cert: string; key: string }>;

/** A certificate for these names, vouched for by an authority of its own, in files of the folder. */
export async function createCertificates(folder: string, names: readonly string[]): Promise<Certificates> {
  const issuer = createAuthority();
  const { cert, key } = createCertificate({ names, issuer });
  const files = { ca: join(folder, 'ca.pem'), cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  await Promise.all([writeFile(files.ca, issuer.cert), writeFile(files.cert, cert), writeFile(files.key, key)]);
  return files;
}

type Issue = Readonly<{
  subject: string;
  issuer: string;
  publicKey: KeyObject;
  signingKey: KeyObject;
  days: number;
  extensions: readonly Buffer[];
}>;

/** RFC 5280 §4.1, in as little DER as a verifier asks for. */
function issue({ subject, issuer, publicKey, signingKey, days, extensions }: Issue): string {
  const ecdsaWithSha256 = sequence(identifier('1.2.840.10045.4.3.2'));
  const untilMs = Date.now() + days * DAY_MS;
  const body = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))),
    tagged(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    nameOf(issuer),
    sequence(timeOf(untilMs - 30 * DAY_MS), timeOf(untilMs)),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensions)),
  );
  const signature = tagged(0x03, Buffer.from([0]), sign('sha256', body, signingKey));
  const base64 = sequence(body, ecdsaWithSha256, signature).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${base64.match(/.{1,64}/g)?.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function pemOf(key: KeyObject): string {
  return String(key.export({ type: 'pkcs8', format: 'pem' }));
}

function alternativeName(name: string): Buffer {
  if (isIP(name) === 4) return tagged(0x87, Buffer.from(name.split('.').map(Number)));
  return tagged(0x82, Buffer.from(name));
}

function nameOf(commonName: string): Buffer {
  return sequence(tagged(0x31, sequence(identifier('2.5.4.3'), tagged(0x0c, Buffer.from(commonName)))));
}

function timeOf(atMs: number): Buffer {
  const digits = new Date(atMs).toISOString().replace(/[-:T]|\.\d+/g, '');
  return tagged(0x18, Buffer.from(digits));
}

function extension(id: string, content: Buffer): Buffer {
  return sequence(identifier(id), tagged(0x04, content));
}

function identifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const octets = [first * 40 + second];
  for (const part of rest) {
    const digits = [part % 128];
    for (let left = Math.floor(part / 128); left > 0; left = Math.floor(left / 128)) digits.unshift(128 + (left % 128));
    octets.push(...digits);
  }
  return tagged(0x06, Buffer.from(octets));
}

function sequence(...content: readonly Buffer[]): Buffer {
  return tagged(0x30, ...content);
}

function tagged(tag: number, ...content: readonly Buffer[]): Buffer {
  const octets = Buffer.concat(content);
  if (octets.length < 128) return Buffer.concat([Buffer.from([tag, octets.length]), octets]);
  return Buffer.concat([Buffer.from([tag, 0x82, octets.length >> 8, octets.length & 255]), octets]);
}
