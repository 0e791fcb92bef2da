import { isIPv4, isIPv6 } from 'node:net';
import { domainToASCII, domainToUnicode } from 'node:url';

/** A domain or address literal in canonical form, or what is wrong: `syntax` (RFC 5321 §4.1.2, §4.1.3) or `domain` (well formed, but no name that can exist). */
export type ParsedDomain =
  | Readonly<{ kind: 'ok'; domain: string }>
  | Readonly<{ kind: 'bad'; fault: 'syntax' | 'domain' }>;

/** Parses what may stand right of the `@`: lower case, U-labels as A-labels, no trailing dot; `[192.0.2.1]` and `[IPv6:2001:db8::1]` compressed. */
export function parseDomain(text: string): ParsedDomain {
  if (text.startsWith('[')) return parseLiteral(text);
  const labels: string[] = [];
  for (const label of (text.endsWith('.') ? text.slice(0, -1) : text).split('.')) {
    const parsed = parseLabel(label);
    if (parsed.kind === 'bad') return parsed;
    labels.push(parsed.domain);
  }
  // A resolver reads `127.1` or `0x7f000001` as an address, and no top-level domain is a number (RFC 3696 §2).
  if (NUMBER.test(labels.at(-1) ?? '')) return { kind: 'bad', fault: 'domain' };
  const domain = labels.join('.');
  if (domain.length > MAX_NAME_LENGTH) return { kind: 'bad', fault: 'syntax' };
  return { kind: 'ok', domain };
}

/** 255 octets with the length octets of the DNS (RFC 1035 §2.3.4). */
const MAX_NAME_LENGTH = 253;
const LDH_LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const NUMBER = /^(?:\d+|0x[\da-f]*)$/;
const NON_ASCII = /\P{ASCII}/u;

/** Letters, marks, digits, the CONTEXTO and CONTEXTJ characters of RFC 5892 and, because such domains receive mail, emoji. Hyphens as in RFC 5891 §4.2.3.1. */
const U_LABEL =
  /^(?!-|..--)(?:[a-z0-9\-]|[[\p{L}\p{M}\p{N}\p{So}\u{b7}\u{375}\u{5f3}\u{5f4}\u{30fb}\u{200c}\u{200d}]--\p{ASCII}])+$(?<!-)/v;

function parseLabel(label: string): ParsedDomain {
  if (NON_ASCII.test(label)) return parseULabel(label);
  const lower = label.toLowerCase();
  if (!LDH_LABEL.test(lower)) return { kind: 'bad', fault: 'syntax' };
  if (lower.startsWith('xn--') && !isALabel(lower)) return { kind: 'bad', fault: 'domain' };
  return { kind: 'ok', domain: lower };
}

// domainToASCII maps: full-width letters, mathematical letters and ideographic dots come out as plain ASCII. A label that is more than another
// case or composition of what its A-label says is refused, so that no two readers of the address can see two domains.
function parseULabel(label: string): ParsedDomain {
  const aLabel = domainToASCII(label);
  const same = domainToUnicode(aLabel) === label.normalize('NFC').toLowerCase().normalize('NFC');
  if (same && LDH_LABEL.test(aLabel) && isALabel(aLabel)) return { kind: 'ok', domain: aLabel };
  return { kind: 'bad', fault: 'domain' };
}

// domainToASCII lets any `xn--` label through, also one that decodes to a dot or to nothing; domainToUnicode leaves those as they are,
// and with `--` in its third and fourth place no label is a U-label.
function isALabel(label: string): boolean {
  const unicode = domainToUnicode(label);
  return U_LABEL.test(unicode) && domainToASCII(unicode) === label;
}

function parseLiteral(text: string): ParsedDomain {
  const inside = text.endsWith(']') ? text.slice(1, -1) : '';
  // isIPv4 refuses leading zeros, which some readers take for octal.
  if (isIPv4(inside)) return { kind: 'ok', domain: `[${inside}]` };
  const address = /^IPv6:([\da-f:.]+)$/i.exec(inside)?.[1] ?? '';
  if (!isIPv6(address)) return { kind: 'bad', fault: 'syntax' };
  return { kind: 'ok', domain: `[IPv6:${new URL(`smtp://[${address}]`).hostname.slice(1, -1)}]` };
}
