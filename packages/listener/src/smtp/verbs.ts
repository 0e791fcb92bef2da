/** What a command line is, by its first words. */

/** Verbs of SMTP and its extensions that nobody obeys here. */
export const NOT_IMPLEMENTED: ReadonlySet<string> = new Set(
  'AUTH EXPN HELP ETRN BDAT BURL TURN SEND SOML SAML LHLO'.split(' '),
);

/** RFC 3207 §4. */
export const BEFORE_TLS: ReadonlySet<string> = new Set(['NOOP', 'EHLO', 'STARTTLS', 'QUIT']);

/** Requests of browsers, and the header of a proxy that has said it already or is not trusted. */
export function isNoSmtp(line: string): boolean {
  return /^(?:(?:OPTIONS|GET|HEAD|POST|PUT|DELETE|TRACE|CONNECT) .*HTTP\/\d|PROXY )/i.test(line);
}

/** Only these may stand anywhere in a pipelined group, and be asked ahead (RFC 2920 §3.1, SPEC 3.3). */
export function isRcpt(line: string): boolean {
  return line.length > 5 && line.slice(0, 5).toUpperCase() === 'RCPT ';
}

/** After these the client has to wait for the reply (RFC 2920 §3.1): what is behind one was not written by a mail client. */
export function endsGroup(line: string): boolean {
  return /^(?:DATA|EHLO|HELO|STARTTLS)\b/i.test(line);
}
