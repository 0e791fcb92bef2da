/** The configuration of a gateway before one server, for the domain example.com, as the interop tests use it. */
export function before(server: string, profile: Readonly<Record<string, unknown>> = {}): unknown {
  return {
    hostname: 'mx.gateway.example',
    listeners: {
      inbound: {
        type: 'public',
        listen: ['127.0.0.1:0'],
        callAheadProfile: 'mailboxes',
        recipientAccess: 'inbound',
        postmaster: 'postmaster@example.com',
      },
    },
    callAheadProfiles: { mailboxes: { serverType: 'static', servers: server, ...profile } },
    recipientAccess: { inbound: [{ match: ['example.com'], action: 'accept' }] },
    engine: { threads: 1 },
  };
}
