import { type DeliveryRequest, type Hop, hostPort } from '@callahead/core';
import type { Hops } from './stage.ts';

/** A static profile's own servers, unless a directory or a route named a host already: for the query (SPEC 5.5) and for the delivery (SPEC 7.1). */
export function createStaticStage(now: () => number): (at: Hops, request: DeliveryRequest) => Hops {
  return (at, request) => {
    const servers = request.profile?.servers;
    if (servers?.kind !== 'static' || at.named !== 'recipient') return at;
    request.recorder?.({
      stage: 'static',
      atMs: now(),
      facts: { profile: request.profile?.name ?? '', servers: servers.hops.map(describe).join(', ') },
    });
    return { ...at, named: 'profile', hops: servers.hops };
  };
}

function describe(hop: Hop): string {
  if (hop.lookup === 'unix') return `unix:${hop.name}`;
  return hop.port === null ? `${hop.name} (default port)` : hostPort(hop.name, hop.port);
}
