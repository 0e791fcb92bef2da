/** How call-ahead is encrypted, and who it says it is (SPEC 9.1). */
import type { z } from 'zod';
import type { ServerAuth, ServerTls } from '../profile.ts';
import { secretOf } from '../secret.ts';
import { errorAt, type Fault, warningAt } from './faults.ts';
import { section, text } from './fields.ts';
import type { Files } from './files.ts';
import { checkPasswordFile, passwordIn } from './named-files.ts';
import { fault, type Parsed, show, value } from './parsed.ts';
import type { Plain } from './plain.ts';
import type { Path } from './positions.ts';
import { buildTlsFiles, checkTls, clientTls, mailTls, tlsMode } from './tls.ts';

export const serverTls = tlsSection('off', 'How conversations with the servers are encrypted.');

/** TLS as a client of mail servers. */
export function tlsSection(byDefault: 'off' | 'optional', sentence: string) {
  const mode = tlsMode(
    'STARTTLS: optional never verifies, and goes on in plain text where TLS cannot be had; required does neither.',
    byDefault,
  );
  return section({ mode, ...clientTls, ...mailTls }, sentence).prefault({});
}

/** AUTH PLAIN with both at their longest still is a command line of RFC 5321 §4.5.3.1.4. */
const MAX_OCTETS = 128;
const credential = `1..${MAX_OCTETS} octets without control characters`;

export const serverAuth = section(
  {
    user: text(parseCredential, credential, 'Who we are to the servers.'),
    password: text(parseCredential, credential, 'Its password; better in a file.').optional(),
    passwordFile: text(parseCredential, 'a path', 'File with its password.').optional(),
  },
  'Who we say we are, with AUTH PLAIN or LOGIN and over TLS only; left out, nobody.',
).optional();

/** `profile` as it stands in the file. */
export function checkServerSecurity(path: Path, profile: Plain, files: Files): readonly Fault[] {
  const tls = (profile.tls ?? {}) as Plain;
  return [
    ...checkTls([...path, 'tls'], tls, files),
    ...checkIdentity(path, tls),
    ...(profile.auth === undefined || profile.auth === null ? [] : checkAuth(path, profile.auth as Plain, tls, files)),
  ];
}

/** `path`: of the section that has a key `tls`; `tls` as it stands in the file. */
export function checkIdentity(path: Path, { mode = 'off', cert = null }: Plain): readonly Fault[] {
  if (mode === 'off' || cert !== null) return [];
  return [warningAt([...path, 'tls'], 'TLS without a client certificate: expected cert and key, if the servers ask')];
}

function checkAuth(path: Path, auth: Plain, tls: Plain, files: Files): readonly Fault[] {
  const { mode = 'off', verify = true } = tls;
  const { password = null, passwordFile = null } = auth;
  const at: Path = [...path, 'auth'];
  if (mode === 'off') return [errorAt(at, 'a password is sent over TLS only: expected tls.mode required')];
  if (password === null && passwordFile === null)
    return [errorAt([...at, 'passwordFile'], 'missing: expected the password of user')];
  if (password !== null && passwordFile !== null)
    return [errorAt([...at, 'password'], 'given twice: expected password or passwordFile')];
  const faults = checkPasswordFile([...at, 'passwordFile'], passwordFile, files);
  if (faults.length === 0 && typeof passwordFile === 'string') {
    const found = parseCredential(passwordIn(passwordFile, files));
    if (found.kind === 'fault')
      faults.push(
        errorAt([...at, 'passwordFile'], `what ${show(passwordFile)} holds ${found.why}: expected ${credential}`),
      );
  }
  if (mode !== 'required' || verify === false)
    faults.push(warningAt(at, 'whoever answers gets the password: expected tls.mode required and tls.verify true'));
  return faults;
}

export function buildServerTls(settings: z.output<typeof serverTls>, files: Files): ServerTls | null {
  const { mode, verify, servername, minVersion, maxVersion, ciphers } = settings;
  if (mode === 'off') return null;
  const { ca, identity } = buildTlsFiles(settings, files);
  return { mode, verify, ca, identity, servername: servername ?? null, minVersion, maxVersion, ciphers };
}

export function buildServerAuth(settings: z.output<typeof serverAuth>, files: Files): ServerAuth | null {
  if (settings === undefined) return null;
  const { user, password = '', passwordFile } = settings;
  return { user, password: secretOf(passwordFile === undefined ? password : passwordIn(passwordFile, files)) };
}

function parseCredential(input: string): Parsed<string> {
  if (input === '') return fault('is empty');
  // NUL separates what AUTH PLAIN sends (RFC 4616 §2); no control character belongs into a name (RFC 4013 §2.3).
  if (/\p{Cc}/u.test(input)) return fault('has control characters');
  return Buffer.byteLength(input) > MAX_OCTETS ? fault('is too long') : value(input);
}
