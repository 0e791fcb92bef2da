type Section = Record<string, unknown>;

/** A configuration file as a value, to be changed before it is written. */
export type GatewayFile = Section & {
  listeners: { inbound: Section } & Record<string, Section>;
  callAheadProfiles: { mailboxes: Section } & Record<string, Section>;
};

/** The configuration of a gateway before one server, for the domain example.com. */
export function before(server: string, profile: Readonly<Section> = {}): GatewayFile {
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
