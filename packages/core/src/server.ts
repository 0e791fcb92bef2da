/** One address that a name led to. `name` is what a certificate must carry (SPEC 9.1): the operator's host name or the MX target. */
export type Target = Readonly<{ name: string; address: string }>;

/** One server of a route, as named by the configuration, the directory or an MX record. Targets are literal addresses in the order to try them. */
export type Server =
  | Readonly<{ kind: 'tcp'; host: string; port: number; targets: readonly Target[] }>
  | Readonly<{ kind: 'unix'; path: string }>;

/** A server is named for each recipient that it is asked about. */
const names = new WeakMap<Server, string>();

/** The server's name in logs, loans and verdicts: `host:port`, an IPv6 host in brackets, or `unix:/path`. Never addresses: those change. */
export function serverName(server: Server): string {
  const known = names.get(server);
  if (known !== undefined) return known;
  const name = server.kind === 'unix' ? `unix:${server.path}` : hostPort(server.host, server.port);
  names.set(server, name);
  return name;
}

export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
