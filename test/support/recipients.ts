import { type AccessPattern, parseAccessPattern, parseRecipient, type Recipient } from '@callahead/core';

/** The recipient that RCPT TO:<text> names; throws where it names none. */
export function recipientOf(text: string): Recipient {
  const parsed = parseRecipient(text, { smtpUtf8: true });
  if (parsed.kind !== 'ok') throw new Error(`no recipient: ${JSON.stringify(text)}`);
  return parsed.recipient;
}

/** Patterns as an operator writes them; throws where one is wrong. */
export function accessPatterns(...texts: readonly string[]): AccessPattern[] {
  return texts.map((text) => {
    const parsed = parseAccessPattern(text);
    if (parsed.kind === 'bad') throw new Error(parsed.message);
    return parsed.pattern;
  });
}
