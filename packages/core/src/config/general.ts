import { isIP } from 'node:net';
import { canonicalAddress, parseHostName } from './endpoints.ts';
import { choice, duration, list, section, text } from './fields.ts';
import { fault, type Parsed, value } from './parsed.ts';

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

function parseAddress(input: string): Parsed<string> {
  const address = isIP(input.trim()) === 0 ? null : canonicalAddress(input.trim());
  return address === null ? fault('is not an IP address') : value(address);
}
