/** What directories are asked, for tests of routing by them. */
import {
  type Event,
  type LdapRoutingSettings,
  type LdapServerSettings,
  type LdapTls,
  parseLdapBase,
  parseLdapFilter,
} from '@callahead/core';
import { createLdap, type Ldap } from '../../packages/routing/src/ldap.ts';
import { createSources } from '../../packages/routing/src/sources.ts';

export const NO_TLS: LdapTls = {
  mode: 'off',
  verify: true,
  ca: null,
  identity: null,
  servername: null,
  minVersion: 'TLSv1.2',
};

/** A directory at these ports of 127.0.0.1, asked by nobody in particular. */
export function directoryAt(ports: readonly number[], over: Partial<LdapServerSettings> = {}): LdapServerSettings {
  return {
    name: 'directory',
    urls: ports.map((port) => ({ host: '127.0.0.1', port, implicitTls: false })),
    bind: null,
    tls: NO_TLS,
    timeoutMs: 2_000,
    connections: 4,
    cacheSize: 1_000,
    cacheTtlMs: 60_000,
    ...over,
  };
}

export type Templates = Readonly<{ base?: string; filter?: string }>;

/** The question `(mail={d})` below `dc=example`, with all three attributes. */
export function routingOf(
  server: LdapServerSettings,
  over: Partial<LdapRoutingSettings> = {},
  { base = 'dc=example', filter = '(mail={d})' }: Templates = {},
): LdapRoutingSettings {
  const parsed = { base: parseLdapBase(base), filter: parseLdapFilter(filter) };
  if (parsed.base.kind === 'bad' || parsed.filter.kind === 'bad')
    throw new Error(`${base} or ${filter} is no template`);
  return {
    name: 'domains',
    server,
    base: parsed.base.template,
    scope: 'sub',
    filter: parsed.filter.template,
    mailHostAttribute: 'mailHost',
    mailRoutingAddressAttribute: 'mailRoutingAddress',
    callAheadAttribute: 'callAhead',
    ...over,
  };
}

/** The stage of listener `inbound`, with what it would have logged. */
export function ldapWith(
  routing: LdapRoutingSettings,
  now: () => number = () => performance.now(),
): Readonly<{ ldap: Ldap; events: Event[] }> {
  const events: Event[] = [];
  const ldap = createLdap({
    routings: new Map([['inbound', routing]]),
    directory: createSources({ now, random: () => 0.5, emit: (event) => void events.push(event) }).directory,
    now,
  });
  return { ldap, events };
}
