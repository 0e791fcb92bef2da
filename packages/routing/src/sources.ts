import type { DnsSettings, Emit, LdapServerSettings } from '@callahead/core';
import { createDirectory, type Directory } from './directory.ts';
import { createDns, type Dns, serversOf } from './dns.ts';
import { createLdapAnswers, type LdapAnswers } from './ldap-answers.ts';
import { type Borrowed, createShared } from './shared.ts';

/** A directory and what it answered. */
export type KnownDirectory = Readonly<{ directory: Directory; answers: LdapAnswers }>;

/**
 * The name servers and directories that routers ask, with their connections and all that they answered: routers with equal settings have them in
 * common, so that what was learnt outlives a reload. Freed when the last router that has them is closed.
 */
export type RoutingSources = Readonly<{
  dns(settings: DnsSettings): Borrowed<Dns>;
  directory(settings: LdapServerSettings): Borrowed<KnownDirectory>;
}>;

/** `now` is that of the requests' deadlines. `random`: in [0, 1). */
export type SourcesOptions = Readonly<{ now(): number; random(): number; emit: Emit }>;

export function createSources({ now, random, emit }: SourcesOptions): RoutingSources {
  const dns = createShared(
    (settings: Parameters<typeof createDns>[0]) => createDns(settings, now),
    async (opened) => opened.close(),
  );
  const directories = createShared(openDirectory, ({ directory }) => directory.close());

  function openDirectory(settings: LdapServerSettings): KnownDirectory {
    const directory = createDirectory(settings, { now, random, emit });
    return { directory, answers: createLdapAnswers(settings, directory, { now, emit }) };
  }

  return {
    // The system's resolvers may have changed since: whoever comes now asks those of now.
    dns: (settings) => dns.borrow({ servers: serversOf(settings), timeoutMs: settings.timeoutMs }),
    directory: directories.borrow,
  };
}
