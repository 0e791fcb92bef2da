import { MAX_LOCAL_OCTETS, type MailboxFault, type ParsedMailbox, parsePath } from './mailbox.ts';
import type { Reply } from './verdict.ts';

/**
 * One recipient. `address` is the canonical form, the only one that is compared, cached, asked, routed and logged:
 * local part as sent, quoted only where RFC 5321 §4.1.2 needs it (or where it holds characters that old mailers route by);
 * domain in lower case as A-labels, no trailing dot. `local` has its quotes; `utf8`: the local part needs SMTPUTF8.
 */
export type Recipient = Readonly<{ address: string; local: string; domain: string; utf8: boolean }>;

/** What RCPT TO said: a recipient, the postmaster without a domain (SPEC 3.6), or what the client is told. */
export type ParsedRecipient =
  | Readonly<{ kind: 'ok'; recipient: Recipient }>
  | Readonly<{ kind: 'postmaster' }>
  | Readonly<{ kind: 'bad'; reply: Reply }>;

/** What MAIL FROM said: the null sender, a mailbox, or what the client is told. */
export type ParsedSender =
  | Readonly<{ kind: 'ok'; sender: Recipient }>
  | Readonly<{ kind: 'null' }>
  | Readonly<{ kind: 'bad'; reply: Reply }>;

/** `smtpUtf8`: did MAIL announce SMTPUTF8 (RFC 6531 §3.4)? */
export type AddressOptions = Readonly<{ smtpUtf8: boolean }>;

/** Parses what stands between `<` and `>` of RCPT TO, decoded as UTF-8. */
export function parseRecipient(text: string, options: AddressOptions): ParsedRecipient {
  const plain = parsePlain(text);
  if (plain !== null) return { kind: 'ok', recipient: plain };
  if (/^postmaster$/i.test(text)) return { kind: 'postmaster' };
  const path = parsePath(text, { smtpUtf8: options.smtpUtf8, routed: 'refuse' });
  if (path.kind === 'bad') return { kind: 'bad', reply: RECIPIENT_REPLIES[path.fault] };
  return { kind: 'ok', recipient: toRecipient(path) };
}

/** Parses what stands between `<` and `>` of MAIL FROM. Routing characters are the sender's own affair: only recipients are refused for them. */
export function parseSender(text: string, options: AddressOptions): ParsedSender {
  if (text === '') return { kind: 'null' };
  const plain = parsePlain(text);
  if (plain !== null) return { kind: 'ok', sender: plain };
  const path = parsePath(text, { smtpUtf8: options.smtpUtf8, routed: 'allow' });
  if (path.kind === 'bad') return { kind: 'bad', reply: SENDER_REPLIES[path.fault] };
  return { kind: 'ok', sender: toRecipient(path) };
}

/** Takes apart an address that is canonical already; parses nothing, for it runs once a recipient in every thread. */
export function fromCanonical(address: string): Recipient {
  const at = address.lastIndexOf('@');
  if (at === -1) throw new TypeError(`not a canonical address, it has no @: ${JSON.stringify(address)}`);
  const local = address.slice(0, at);
  return { address, local, domain: address.slice(at + 1), utf8: NON_ASCII.test(local) };
}

const NON_ASCII = /[^ -~]/;

/** Addresses that are canonical as they stand, nearly all of them. No label is an A-label, none a number at the end, none hides a routing character. */
const PLAIN =
  /^[\w#$&'*+=?^`{}~-]+(?:\.[\w#$&'*+=?^`{}~-]+)*@(?:[a-z\d]+(?:-[a-z\d]+)*\.)*[a-z][a-z\d]*(?:-[a-z\d]+)*$/;
/** No label is longer than a domain of this length (RFC 1035 §2.3.4). */
const MAX_LABEL_OCTETS = 63;

function parsePlain(text: string): Recipient | null {
  const at = text.indexOf('@');
  if (at > MAX_LOCAL_OCTETS || text.length - at - 1 > MAX_LABEL_OCTETS || !PLAIN.test(text)) return null;
  return { address: text, local: text.slice(0, at), domain: text.slice(at + 1), utf8: false };
}

function toRecipient(path: Extract<ParsedMailbox, { kind: 'ok' }>): Recipient {
  const { local, domain } = path;
  return { address: `${local}@${domain}`, local, domain, utf8: NON_ASCII.test(local) };
}

const RECIPIENT_REPLIES: Readonly<Record<MailboxFault, Reply>> = {
  syntax: { code: 501, enhanced: '5.1.3', text: 'Bad recipient address syntax' },
  domain: { code: 501, enhanced: '5.1.2', text: 'Bad recipient domain' },
  utf8: { code: 553, enhanced: '5.6.7', text: 'Recipient address needs SMTPUTF8' },
  routed: { code: 553, enhanced: '5.1.3', text: 'Routing characters in the recipient address are not allowed' },
};

const SENDER_REPLIES: Readonly<Record<MailboxFault, Reply>> = {
  syntax: { code: 501, enhanced: '5.1.7', text: 'Bad sender address syntax' },
  domain: { code: 501, enhanced: '5.1.8', text: 'Bad sender domain' },
  utf8: { code: 553, enhanced: '5.6.7', text: 'Sender address needs SMTPUTF8' },
  routed: { code: 553, enhanced: '5.1.7', text: 'Routing characters in the sender address are not allowed' },
};
