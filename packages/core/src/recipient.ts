/**
 * One recipient. `address` is the canonical form, the only one that is compared, cached, asked, routed and logged:
 * local part as sent, quoted only where RFC 5321 §4.1.2 needs it; domain in lower case as A-labels, no trailing dot.
 */
export type Recipient = Readonly<{ address: string; local: string; domain: string; utf8: boolean }>;
