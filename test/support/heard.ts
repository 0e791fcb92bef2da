/** What a server behind the gateway heard, octet by octet, read by a grammar of its own: nothing of the product's parser is used here. */
import type { FakeOptions } from './fake-server.ts';

export type Heard = Readonly<{
  /** For a fake server whose octets are to be written down. */
  options: FakeOptions;
  octets(): Buffer;
  /** Command lines that no client of RFC 5321 would say, or that have nothing to do with a probe (SPEC 4.11). */
  strange(): readonly string[];
}>;

const UTF8 = String.raw`(?:[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})`;
/** RFC 5322 §3.2.3 without what SPEC 9.3 refuses. A slash may stand inside. */
const ATOM = String.raw`(?:[A-Za-z0-9#$&'*+=?^_\x60{}~\/-]|${UTF8})+`;
const QUOTED = String.raw`"(?:[ !#-\[\]-~]|\\[ -~]|${UTF8})*"`;
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const LITERAL = String.raw`\[(?:\d{1,3}(?:\.\d{1,3}){3}|IPv6:[0-9a-f:]+)\]`;
const MAILBOX = String.raw`(?:(?!\/)${ATOM}(?:\.${ATOM})*|${QUOTED})@(?:${LABEL}(?:\.${LABEL})*|${LITERAL})`;
const PROBE = new RegExp(
  `^(?:EHLO mx\\.gateway\\.example|MAIL FROM:<>(?: SMTPUTF8)?|RCPT TO:<${MAILBOX}>|RSET|NOOP|QUIT)$`,
);

/** Writes down what a fake server with these options hears. */
export function hear(options: FakeOptions = {}): Heard {
  const chunks: Buffer[] = [];
  const octets = (): Buffer => Buffer.concat(chunks);
  return {
    options: {
      ...options,
      on: {
        ...options.on,
        connect({ session }) {
          session.socket.on('data', (chunk: Buffer) => void chunks.push(chunk));
          return null;
        },
      },
    },
    octets,
    strange() {
      const lines = octets().toString('latin1').split('\r\n');
      const partial = lines.pop() ?? '';
      return [...lines.filter((line) => !PROBE.test(line)), ...(partial === '' ? [] : [partial])];
    },
  };
}

/** A reply line as RFC 5321 §4.2 has it, whose classes agree (RFC 2034 §4). */
export function isReplyLine(line: string): boolean {
  const match = /^([245])\d\d[ -](?:([245])\.\d{1,3}\.\d{1,3} )?[\t\x20-\x7e]*$|^354 [\t\x20-\x7e]*$/.exec(line);
  return match !== null && line.length <= 510 && (match[2] === undefined || match[1] === match[2]);
}
