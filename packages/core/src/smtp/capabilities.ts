/** What a server offers in its answer to EHLO, as far as we use it. `size` in octets: null when not offered, 0 when offered without a limit (RFC 1870 §4). */
export type Capabilities = Readonly<{
  pipelining: boolean;
  smtpUtf8: boolean;
  eightBitMime: boolean;
  enhancedStatusCodes: boolean;
  size: number | null;
}>;

/** What a server can do that only knows HELO. */
export const noCapabilities: Capabilities = {
  pipelining: false,
  smtpUtf8: false,
  eightBitMime: false,
  enhancedStatusCodes: false,
  size: null,
};

/** Reads the lines of a 250 to EHLO; the first one is the server's name and greeting (RFC 5321 §4.1.1.1). */
export function parseCapabilities(lines: readonly string[]): Capabilities {
  const offered = new Map<string, string>();
  for (const line of lines.slice(1)) {
    const [keyword = '', parameter = ''] = line.trim().split(/[ =]+/, 2);
    offered.set(keyword.toUpperCase(), parameter);
  }
  const size = offered.get('SIZE');
  return {
    pipelining: offered.has('PIPELINING'),
    smtpUtf8: offered.has('SMTPUTF8'),
    eightBitMime: offered.has('8BITMIME'),
    enhancedStatusCodes: offered.has('ENHANCEDSTATUSCODES'),
    size: size === undefined ? null : Number(/^\d{1,15}$/.exec(size)?.[0] ?? 0),
  };
}
