import { isIP } from 'node:net';
import type { z } from 'zod';
import { secretOf } from '../secret.ts';
import type { LogSettings } from '../settings.ts';
import { canonicalAddress, parseHostName } from './endpoints.ts';
import { errorAt, type Fault } from './faults.ts';
import { choice, duration, list, section, text } from './fields.ts';
import type { Files } from './files.ts';
import { checkPasswordFile, passwordIn } from './named-files.ts';
import { fault, type Parsed, value } from './parsed.ts';
import { isPlain, type Plain } from './plain.ts';

/** The keys of the file's top level that are no section of their own. */
export const hostname = text(
  parseHostName,
  'a host name',
  'Our own name, in the greeting, in EHLO and in the Received line.',
);

export const drainTimeout = duration(
  '30s',
  0,
  3600,
  'How long sessions with an open transaction may go on after SIGTERM or SIGINT.',
);

export const log = section(
  {
    level: choice(
      ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      'Log lines below this level are not written.',
    ).prefault('info'),
    addresses: choice(
      ['full', 'hashed'],
      'hashed: in place of a mail address the log has a keyed hash of it, and its domain.',
    ).prefault('full'),
    addressKey: text(
      value<string>,
      'a text',
      'What the hashes are made with; left out, it is drawn at each start. Better in a file.',
    ).optional(),
    addressKeyFile: text(nonEmpty, 'a path', 'File with what the hashes are made with.').optional(),
  },
  'What is logged.',
);

export const self = section(
  {
    names: list(
      text(parseHostName, 'a host name', 'A name that is us.'),
      'host names',
      'Further names that are us; a server that greets with one of them is never asked.',
    ).prefault([]),
    addresses: list(
      text(parseAddress, 'an IP address', 'An address that is us.'),
      'IP addresses',
      'Further addresses that are us, as behind NAT.',
    ).prefault([]),
  },
  'Further names and addresses that are us, so that mail never loops.',
);

/** What the hashes of addresses are made with must be there, and be no secret of nobody's. */
export function checkLog(root: Plain, files: Files): readonly Fault[] {
  if (!isPlain(root.log)) return [];
  const { addressKey = null, addressKeyFile = null } = root.log;
  if (addressKey !== null && addressKeyFile !== null)
    return [errorAt(['log', 'addressKey'], 'given twice: expected addressKey or addressKeyFile')];
  if (addressKey === '') return [errorAt(['log', 'addressKey'], 'is empty: expected a text')];
  return checkPasswordFile(['log', 'addressKeyFile'], addressKeyFile, files);
}

export function buildLog(
  { level, addresses, addressKey, addressKeyFile }: z.output<typeof log>,
  files: Files,
): LogSettings {
  const key = addressKeyFile === undefined ? addressKey : passwordIn(addressKeyFile, files);
  return { level, addresses, addressKey: key === undefined ? null : secretOf(key) };
}

function nonEmpty(input: string): Parsed<string> {
  return input === '' ? fault('is empty') : value(input);
}

function parseAddress(input: string): Parsed<string> {
  const address = isIP(input.trim()) === 0 ? null : canonicalAddress(input.trim());
  return address === null ? fault('is not an IP address') : value(address);
}
