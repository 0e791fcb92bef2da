/** How clients may, or must, be encrypted when they come to a listener (SPEC 9.2). */
import type { z } from 'zod';
import type { ListenerTls } from '../settings.ts';
import { errorAt, type Fault, warningAt } from './faults.ts';
import { choice, section } from './fields.ts';
import type { Files } from './files.ts';
import { textIn } from './named-files.ts';
import { show } from './parsed.ts';
import { isPlain, keysOf, type Plain } from './plain.ts';
import type { Path } from './positions.ts';
import { buildTlsFiles, certificatesIn, checkTls, mailTls, serverIdentity } from './tls.ts';

export const listenerTls = section(
  {
    mode: choice(
      ['off', 'optional', 'required', 'implicit'],
      'optional offers STARTTLS, required takes no mail before it, implicit begins with TLS (as on port 465).',
    ).prefault('off'),
    ...serverIdentity,
    ...mailTls,
  },
  'How conversations with clients are encrypted.',
).prefault({});

/** `nowMs` is what certificates expire by; null: they do not. */
export function checkListenerTls(root: Plain, files: Files, nowMs: number | null): readonly Fault[] {
  return keysOf(root, 'listeners').flatMap(([name, { tls, hostAccess }]) => {
    const written = isPlain(tls) ? tls : {};
    const path = ['listeners', name, 'tls'];
    const faults = [...checkOwn(path, written), ...checkTls(path, written, files)];
    const dates = faults.length > 0 || nowMs === null ? [] : checkDates(path, written.cert, files, nowMs);
    return [...faults, ...dates, ...checkPolicies(root, ['listeners', name, 'hostAccess'], hostAccess, written)];
  });
}

/** A policy asks for TLS where there is none: its clients could never send. */
function checkPolicies(root: Plain, path: Path, table: unknown, { mode = 'off' }: Plain): readonly Fault[] {
  if (mode !== 'off') return [];
  const [, written = {}] = keysOf(root, 'hostAccess').find(([name]) => name === table) ?? [];
  return keysOf(written, 'policies').flatMap(([policy, { tls }]) => {
    if (tls !== 'required') return [];
    const message = `policy ${policy} of ${show(table)} requires TLS, which this listener does not speak: expected tls.mode optional or required`;
    return [errorAt(path, message)];
  });
}

/** Whoever starts without a certificate of his own would show one whose key everybody knows, or none. */
function checkOwn(path: Path, { mode, cert = null, key = null }: Plain): readonly Fault[] {
  if (typeof mode !== 'string' || !ENCRYPTED.has(mode) || cert !== null || key !== null) return [];
  return [errorAt([...path, 'cert'], `missing: expected our certificate, and its key, for mode ${mode}`)];
}

const ENCRYPTED: ReadonlySet<string> = new Set(['optional', 'required', 'implicit']);

// No error: a gateway that does not start because a certificate ran out over night takes no mail at all, and most senders do not look.
function checkDates(path: Path, cert: unknown, files: Files, nowMs: number): readonly Fault[] {
  if (typeof cert !== 'string') return [];
  const [own] = certificatesIn(textIn(cert, files)) ?? [];
  if (own === undefined) return [];
  const warning = (why: string): readonly Fault[] => [warningAt([...path, 'cert'], `${show(cert)} ${why}`)];
  const day = (date: Date): string => date.toISOString().slice(0, 10);
  if (own.validToDate.getTime() <= nowMs) return warning(`expired on ${day(own.validToDate)}: expected one that holds`);
  if (own.validFromDate.getTime() > nowMs)
    return warning(`holds from ${day(own.validFromDate)} on only: expected one that holds`);
  return [];
}

export function buildListenerTls(settings: z.output<typeof listenerTls>, files: Files): ListenerTls | null {
  const { mode, minVersion, maxVersion, ciphers } = settings;
  if (mode === 'off') return null;
  const { identity } = buildTlsFiles(settings, files);
  // The file was checked: whoever comes here without a certificate has broken that check, not the file.
  if (identity === null) throw new TypeError('a listener with TLS has no certificate');
  return { mode, identity, minVersion, maxVersion, ciphers };
}
