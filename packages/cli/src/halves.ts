import { networkInterfaces } from 'node:os';
import type {
  Configuration,
  Emit,
  LdapRoutingSettings,
  ListenAddress,
  Request,
  RouteSource,
  Routing,
  Validate,
  Verdict,
} from '@callahead/core';
import { createRouter, type Router, type RoutingSources } from '@callahead/routing';
import { type Ask, createEngine, type Engine } from '@callahead/workers';

/** Routing and the engine: all that finds out about a recipient, without a front door. */
export type Halves = Readonly<{
  router: Router;
  engine: Engine;
  /** The clock of all deadlines. */
  now: () => number;
  /** Says QUIT to the servers for so long, then ends everything. */
  close(drainMs: number): Promise<void>;
}>;

/** `hostsFile`: /etc/hosts where it is left out. `threads`: those of the configuration where they are left out. */
export type HalvesOptions = Readonly<{
  emit: Emit;
  onFatal: (error: Error) => void;
  /** The sockets that are ours, at this moment. */
  listenAddresses: () => readonly ListenAddress[];
  threads?: number;
  hostsFile?: string;
}>;

/** Both for one configuration that stays. */
export function openHalves(configuration: Configuration, options: HalvesOptions): Halves {
  const now = (): number => performance.now();
  const engine = openEngine(configuration, options);
  const router = openRouter(configuration, { ...options, generation: 1, now });
  return {
    router,
    engine,
    now,
    async close(drainMs) {
      await engine.close(drainMs);
      await router.close();
    },
  };
}

/** `cacheFile`: of the engine that keeps what it learns; left out, it does not. */
export function openEngine(
  { engine }: Configuration,
  {
    emit,
    onFatal,
    threads = engine.threads,
    cacheFile = null,
  }: Pick<HalvesOptions, 'emit' | 'onFatal' | 'threads'> & Readonly<{ cacheFile?: string | null }>,
): Engine {
  return createEngine({ settings: { ...engine, threads }, emit, onFatal, cacheFile });
}

/** Routing as one `generation` of the configuration has it. `sources`: what it has in common with others; left out, it has its own. */
export function openRouter(
  configuration: Configuration,
  options: Pick<HalvesOptions, 'emit' | 'listenAddresses' | 'hostsFile'> &
    Readonly<{ generation: number; now: () => number; sources?: RoutingSources }>,
): Router {
  const { generation, listenAddresses, emit, now, sources, hostsFile } = options;
  return createRouter({
    hostname: configuration.hostname,
    self: configuration.self,
    listenAddresses,
    interfaces: machineAddresses,
    dns: configuration.dns,
    smtpRoutes: configuration.smtpRoutes,
    ldapRoutings: ldapRoutingsOf(configuration),
    generation,
    now,
    random: Math.random,
    emit,
    ...(sources === undefined ? {} : { sources }),
    ...(hostsFile === undefined ? {} : { hostsFile }),
  });
}

/** One question's way through both halves; `askServers` is the second one. Never rejects where that does not: routing never does. */
export function createValidate(router: RouteSource, askServers: (ask: Ask) => Verdict | Promise<Verdict>): Validate {
  function proceed(request: Request, routing: Routing): Verdict | Promise<Verdict> {
    switch (routing.kind) {
      case 'known':
        return routing.verdict;
      case 'discard':
        return { kind: 'valid', source: 'routing', server: '' };
      case 'ask': {
        const { recipient, route } = routing;
        return askServers({ recipient, route, deadlineMs: request.deadlineMs, recorder: request.recorder });
      }
    }
  }
  return (request) => {
    const routing = router.toAsk(request);
    return routing instanceof Promise ? routing.then((found) => proceed(request, found)) : proceed(request, routing);
  };
}

function ldapRoutingsOf({ listeners }: Configuration): ReadonlyMap<string, LdapRoutingSettings> {
  return new Map(
    listeners.flatMap(({ name, ldapRouting }) => (ldapRouting === null ? [] : [[name, ldapRouting] as const])),
  );
}

function machineAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((found) => (found ?? []).map((one) => one.address));
}
