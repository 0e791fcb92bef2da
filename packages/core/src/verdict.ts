/** Where a verdict comes from. `delivery`: the delivery host said so (SPEC 7.3). */
export type Source = 'server' | 'cache' | 'shared' | 'routing' | 'delivery';

/** Why nobody could say anything about the recipient (SPEC 4.1). */
export type Cause =
  | 'timeout'
  | 'dns'
  | 'ldap'
  | 'connect'
  | 'tls'
  | 'greeting'
  | 'policy'
  | 'protocol'
  | 'overload'
  | 'no-route'
  | 'loop';

/** A reply as it was read: basic code, enhanced code when it fits the class of the basic one (RFC 3463), text in printable ASCII on one line. */
export type Reply = Readonly<{ code: number; enhanced: string | null; text: string }>;

/** What is known about one recipient (SPEC 4.1). `server` is a `serverName`, or empty where no server spoke; `ref` names the logged dialogue. */
export type Verdict =
  | Readonly<{ kind: 'valid'; source: Source; server: string }>
  | Readonly<{ kind: 'unknown' | 'refused' | 'temporary'; source: Source; server: string; reply: Reply; ref: string }>
  | Readonly<{ kind: 'failed'; source: Source; server: string; cause: Cause; detail: string; ref: string }>;

export type VerdictKind = Verdict['kind'];

export function failed(cause: Cause, detail: string, source: Source = 'routing', server = '', ref = ''): Verdict {
  return { kind: 'failed', source, server, cause, detail, ref };
}
