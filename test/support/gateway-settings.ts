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
    // A server that could not be asked must not look like one that knows everybody.
    callAheadProfiles: {
      mailboxes: { serverType: 'static', servers: server, onValidationFailure: 'reject', ...profile },
    },
    recipientAccess: { inbound: [{ match: ['example.com'], action: 'accept' }] },
    engine: { threads: 1 },
  };
}
