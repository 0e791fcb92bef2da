/** Certificates for tests: an authority of their own, and what it vouches for. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finish, program } from './debian.ts';

/** Paths of PEM files. */
export type Certificates = Readonly<{ ca: string; cert: string; key: string }>;

/** A certificate for these names (`DNS:ldap.example`, `IP:127.0.0.1`), vouched for by an authority of its own, in files of the folder. */
export async function createCertificates(folder: string, names: readonly string[]): Promise<Certificates> {
  const at = (name: string): string => join(folder, name);
  const [ca, caKey, cert, key] = ['ca.pem', 'ca-key.pem', 'cert.pem', 'key.pem'].map(at) as [
    string,
    string,
    string,
    string,
  ];
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  await openssl('req', '-x509', ...newKey, '-days', '2', '-subj', '/CN=Test authority', '-keyout', caKey, '-out', ca);
  await openssl('req', ...newKey, '-subj', '/CN=Test server', '-keyout', key, '-out', at('request.pem'));
  await writeFile(at('extensions'), `subjectAltName=${names.join(',')}\n`);
  const signer = ['-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-extfile', at('extensions')];
  await openssl('x509', '-req', '-in', at('request.pem'), ...signer, '-days', '2', '-out', cert);
  return { ca, cert, key };
}

async function openssl(...args: readonly string[]): Promise<void> {
  const { code, output } = await finish(program('openssl'), args);
  if (code !== 0) throw new Error(`openssl ${args.join(' ')} failed: ${output}`);
}
