/** What a server offers in its answer to EHLO, as far as we use it. `size` in octets: null when not offered, 0 when offered without a limit (RFC 1870 §4). */
export type Capabilities = Readonly<{
  pipelining: boolean;
  smtpUtf8: boolean;
  eightBitMime: boolean;
  enhancedStatusCodes: boolean;
  startTls: boolean;
  /** SASL mechanisms in capitals (RFC 4954 §3). */
  auth: readonly string[];
  size: number | null;
}>;

/** What a server can do that only knows HELO. */
export const noCapabilities: Capabilities = {
  pipelining: false,
  smtpUtf8: false,
  eightBitMime: false,
  enhancedStatusCodes: false,
  startTls: false,
  auth: [],
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
    startTls: offered.has('STARTTLS'),
    auth: lines.slice(1).flatMap(mechanismsIn),
    size: size === undefined ? null : Number(/^\d{1,15}$/.exec(size)?.[0] ?? 0),
  };
}

/** `AUTH=` is how servers say it that were written before the RFC. */
function mechanismsIn(line: string): readonly string[] {
  const [, mechanisms] = /^AUTH[ =](.+)$/i.exec(line.trim()) ?? [];
  return mechanisms?.trim().toUpperCase().split(/\s+/) ?? [];
}

/** The name a server greets with, in lower case and without a trailing dot; empty where it says none (RFC 5321 §4.2). */
export function greetedName(lines: readonly string[]): string {
  return lines[0]?.trim().split(/\s/, 1)[0]?.toLowerCase().replace(/\.$/, '') ?? '';
}
