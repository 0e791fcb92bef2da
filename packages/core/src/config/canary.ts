import type { z } from 'zod';
import type { Canary } from '../profile.ts';
import { parseRecipient, type Recipient } from '../recipient.ts';
import { duration, section, text } from './fields.ts';
import { fault, type Parsed, value } from './parsed.ts';

const address = 'an address with a domain';

export const canary = section(
  {
    valid: text(
      parseCanary,
      address,
      'A recipient that exists for sure. While a server refuses it, nobody is refused for what that server says: onValidationFailure decides.',
    ),
    invalid: text(
      parseCanary,
      address,
      'A recipient that surely does not exist. Asked for with something random in it; a server that accepts it is marked as one that accepts everybody.',
    ),
    interval: duration('5m', 10, 86_400, 'How often both are asked about.'),
  },
  'Questions whose answers are known, so that a server that has gone mad is found out; left out, there are none.',
).optional();

export function buildCanary(settings: z.output<typeof canary>): Canary | null {
  if (settings === undefined) return null;
  return { valid: settings.valid, invalid: settings.invalid, intervalMs: settings.interval };
}

function parseCanary(input: string): Parsed<Recipient> {
  const parsed = parseRecipient(input.trim(), { smtpUtf8: true });
  return parsed.kind === 'ok' ? value(parsed.recipient) : fault('is none');
}
