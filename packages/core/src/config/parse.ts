import { ConfigurationError, type Problem } from '../errors.ts';
import type { Interfaces } from '../local-address.ts';
import type { Configuration } from '../settings.ts';
import { buildAdmin, checkAdmin } from './admin.ts';
import { buildCacheFile, checkCacheFile } from './cache-file.ts';
import { buildDelivery, checkDelivery } from './delivery.ts';
import { buildDns } from './dns.ts';
import { buildEngine } from './engine.ts';
import { type Fault, faultsOf, inOrder, merge, problemsOf } from './faults.ts';
import { createFiles, type Files, type ReadText } from './files.ts';
import { buildLog, checkLog } from './general.ts';
import { buildHostAccess, checkHostAccess } from './host-access.ts';
import { buildLdap, checkLdap } from './ldap.ts';
import { checkListenerTls } from './listener-tls.ts';
import { buildListener, checkListeners } from './listeners.ts';
import { checkInterfaces } from './local-interface.ts';
import { isPlain, type Plain } from './plain.ts';
import { type ReadFile, readYaml } from './positions.ts';
import { buildProfile, checkProfiles } from './profiles.ts';
import { checkProxies } from './proxy-protocol.ts';
import { buildRecipientAccess, checkPatternFiles, checkRecipientAccess } from './recipient-access.ts';
import { jsonSchema, root, type Settings } from './schema.ts';
import { buildSmtpRoutes, checkSmtpRoutes } from './smtp-routes.ts';
import { createTables, type Tables } from './tables.ts';
import { writtenConfiguration } from './written.ts';

/**
 * `file` names the text in messages; `cores` is what `engine.threads: auto` counts; `readText` reads the files that the text names: left out, none can be read.
 * `interfaces` are the machine's, which names in the text are held against: left out, they are not. `nowMs`, of the wall clock, is what certificates expire by: left out, they do not.
 */
export type ParseOptions = Readonly<{
  file: string;
  env: Readonly<Record<string, string | undefined>>;
  cores: number;
  readText?: ReadText;
  interfaces?: Interfaces;
  nowMs?: number;
}>;

/** A configuration that can be used, and what about it is doubtful. */
export type Loaded = Readonly<{ configuration: Configuration; warnings: readonly Problem[] }>;

/** Makes a configuration of a file's text. Throws ConfigurationError with every problem, warnings included. */
export function parseConfiguration(text: string, options: ParseOptions): Loaded {
  const file = readYaml(text, options.env);
  if (file.broken) throw new ConfigurationError(options.file, inOrder(file.problems));
  const written = file.value ?? {};
  const parsed = root.safeParse(written, { reportInput: true });
  const faults = parsed.success ? [] : faultsOf(parsed.error.issues, jsonSchema);
  const files = createFiles(options.file, options.readText ?? noFiles);
  const read = {
    main: options.file,
    files,
    tables: createTables(files),
    interfaces: options.interfaces ?? null,
    nowMs: options.nowMs ?? null,
  };
  const crossing = isPlain(written) ? crossChecks(written, { name: options.file, file }, read) : NOTHING;
  const problems = [...merge(file.problems, problemsOf([...faults, ...crossing.faults], file)), ...crossing.problems];
  if (!parsed.success || problems.some(({ severity }) => severity === 'error')) {
    throw new ConfigurationError(options.file, problems);
  }
  return {
    configuration: freeze({
      ...build(parsed.data, options.cores, read),
      written: writtenConfiguration(text, jsonSchema),
    }),
    warnings: problems,
  };
}

/** The files that the configuration names, what was made of those that are tables, and the machine's interfaces and the time where they are known. */
type Read = Readonly<{
  main: string;
  files: Files;
  tables: Tables;
  interfaces: Interfaces | null;
  nowMs: number | null;
}>;

/** What is wrong in the configuration, and inside the tables that it names. */
type Crossing = Readonly<{ faults: readonly Fault[]; problems: readonly Problem[] }>;

const NOTHING: Crossing = { faults: [], problems: [] };

function crossChecks(written: Plain, main: Readonly<{ name: string; file: ReadFile }>, read: Read): Crossing {
  const { files, tables, interfaces, nowMs } = read;
  const routes = checkSmtpRoutes(written, main, tables.routes);
  return {
    faults: [
      ...checkListeners(written, tables),
      ...checkListenerTls(written, files, nowMs),
      ...checkProxies(written),
      ...checkProfiles(written, files),
      ...(interfaces === null ? [] : checkInterfaces(written, interfaces)),
      ...checkRecipientAccess(written, tables),
      ...checkHostAccess(written),
      ...checkLdap(written, files),
      ...checkDelivery(written, files),
      ...checkLog(written, files),
      ...checkAdmin(written, files),
      ...checkCacheFile(written, files),
      ...routes.faults,
    ],
    problems: [...checkPatternFiles(written, tables), ...routes.problems],
  };
}

function noFiles(): Error {
  return new Error('nobody reads files here');
}

function build(settings: Settings, cores: number, read: Read): Omit<Configuration, 'written'> {
  const { hostname, self } = settings;
  const selfNames = [...new Set([hostname, ...self.names])];
  const profiles = new Map(
    Object.entries(settings.callAheadProfiles).map(([name, profile]) => [
      name,
      freeze(buildProfile(name, profile, { hostname, selfNames }, read.files)),
    ]),
  );
  const tables = new Map(
    Object.entries(settings.recipientAccess).map(([name, entries]) => [
      name,
      buildRecipientAccess(entries, profiles, read.tables),
    ]),
  );
  const hosts = new Map(
    Object.entries(settings.hostAccess).map(([name, table]) => [name, freeze(buildHostAccess(table))]),
  );
  const ldap = freeze(buildLdap(settings.ldap, read.files));
  return {
    hostname,
    drainTimeoutMs: settings.drainTimeout,
    log: buildLog(settings.log, read.files),
    self,
    listeners: Object.entries(settings.listeners).map(([name, listener]) =>
      buildListener(name, listener, { profiles, tables, hosts, routings: ldap.routing, files: read.files }),
    ),
    profiles,
    smtpRoutes: buildSmtpRoutes(settings.smtpRoutes, settings.smtpRoutesFile, read.tables.routes),
    ldap,
    dns: buildDns(settings.dns),
    delivery: buildDelivery(settings.delivery, read.files),
    engine: buildEngine(settings.engine, cores),
    admin: buildAdmin(settings.admin, read.files),
    cacheFile: buildCacheFile(settings.cacheFile, read.main),
  };
}

/** Freezes plain data to its depth. */
function freeze<T>(data: T): T {
  if (typeof data !== 'object' || data === null || Object.isFrozen(data)) return data;
  for (const inner of data instanceof Map ? data.values() : Object.values(data)) freeze(inner);
  return Object.freeze(data);
}
