import type { DeliveryRequest, Hop, Recipient, Routing } from '@callahead/core';

/**
 * How far routing has come: the recipient (which a directory may rewrite) and the hosts to look up. `named`: nobody has named a host yet, the
 * hosts are those of the recipient's own domain; or an operator did, in a directory or a route, or as the servers of the request's profile.
 * Different rules hold (SPEC 5.6, 5.7), and the mail for a profile's servers goes by its protocol (SPEC 7.1).
 */
export type Hops = Readonly<{
  kind: 'hops';
  recipient: Recipient;
  named: 'recipient' | 'operator' | 'profile';
  hops: readonly Hop[];
}>;

/** One step of the order of SPEC 5.1. It answers by the request's deadline, records a step, and leaves its input alone. `Result` is `Routing` or, for the delivery, `DeliveryRouting`. */
export type Stage<Result = Routing, Asked = DeliveryRequest> = (
  at: Hops,
  request: Asked,
) => Hops | Result | Promise<Hops | Result>;
