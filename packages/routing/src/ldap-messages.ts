/** Whole messages, and the beginning of the next one; or octets that no message can begin with. */
export type LdapMessages =
  | Readonly<{ kind: 'messages'; messages: readonly Buffer[]; rest: Buffer }>
  | Readonly<{ kind: 'malformed' }>;

/**
 * Cuts what came from a directory into messages (RFC 4511 §4.1.1) whose lengths fit into each other. The client library follows a length that
 * points behind its message for ever, and reads many messages at once recursively: it gets nothing else than one such message at a time.
 */
export function readMessages(octets: Buffer): LdapMessages {
  const messages: Buffer[] = [];
  let at = 0;
  while (at < octets.length) {
    if (octets[at] !== SEQUENCE) return { kind: 'malformed' };
    const length = readLength(octets, at + 1);
    if (length === 'bad') return { kind: 'malformed' };
    if (length === 'more' || length.from + length.octets > octets.length) break;
    const end = length.from + length.octets;
    if (!fits(octets, length.from, end, 0)) return { kind: 'malformed' };
    messages.push(octets.subarray(at, end));
    at = end;
  }
  return { kind: 'messages', messages, rest: octets.subarray(at) };
}

/** A length (X.690 §8.1.3, in the forms that RFC 4511 §5.1 allows): where what it is of begins, and how much that is. */
export function readLength(octets: Buffer, at: number): Readonly<{ from: number; octets: number }> | 'more' | 'bad' {
  const first = octets[at];
  if (first === undefined) return 'more';
  if (first < 0x80) return { from: at + 1, octets: first };
  const size = first - 0x80;
  if (size < 1 || size > 4) return 'bad';
  if (at + 1 + size > octets.length) return 'more';
  return { from: at + 1 + size, octets: octets.readUIntBE(at + 1, size) };
}

const SEQUENCE = 0x30;
const CONSTRUCTED = 0x20;
/** Tags that go on in further octets; LDAP has none. */
const LONG_TAG = 0x1f;
/** A search result has five levels. */
const MAX_DEPTH = 16;

/** Do the elements from `at` fill the space up to `end`, and what is in them theirs? */
function fits(octets: Buffer, from: number, end: number, depth: number): boolean {
  let at = from;
  while (at < end) {
    const tag = octets[at] ?? 0;
    const length = readLength(octets, at + 1);
    if (length === 'more' || length === 'bad' || (tag & LONG_TAG) === LONG_TAG || depth > MAX_DEPTH) return false;
    const next = length.from + length.octets;
    if (next > end) return false;
    if ((tag & CONSTRUCTED) !== 0 && !fits(octets, length.from, next, depth + 1)) return false;
    at = next;
  }
  return at === end;
}
