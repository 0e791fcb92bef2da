import type { Hop } from '@callahead/core';

/** A port and where it comes from; null stands for the default one, 25. */
export type Port = Pick<Hop, 'port' | 'portFrom'>;

type Given = 'given' | 'open';

/**
 * Whose port counts where a route leads a host elsewhere (SPEC 5.3): rows, does the host come with a port, as only a directory gives one;
 * columns, does the route. That the directory named one host or several makes no difference: routes apply to each of them by itself.
 */
const COUNTS: Readonly<Record<Given, Readonly<Record<Given, 'host' | 'route' | 'default'>>>> = {
  given: { given: 'host', open: 'host' },
  open: { given: 'route', open: 'default' },
};

/** The port of a host that a route puts in the place of `host`. It holds for every address that its name yields. */
export function mergePort(host: Port, routePort: number | null): Port {
  switch (COUNTS[givenOrOpen(host.port)][givenOrOpen(routePort)]) {
    case 'host':
      return { port: host.port, portFrom: host.portFrom };
    case 'route':
      return { port: routePort, portFrom: 'route' };
    case 'default':
      return { port: null, portFrom: 'default' };
  }
}

function givenOrOpen(port: number | null): Given {
  return port === null ? 'open' : 'given';
}
