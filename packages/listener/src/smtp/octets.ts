/** The octets that give mail data its lines (RFC 5321 §2.3.8, §4.5.2). */
export const NUL = 0x00;
export const LF = 0x0a;
export const CR = 0x0d;
export const DOT = 0x2e;
