import { isIP } from 'node:net';
import type { z } from 'zod';
import { type LdapTemplate, parseLdapBase, parseLdapFilter } from '../ldap-template.ts';
import { secretOf } from '../secret.ts';
import type { LdapRoutingSettings, LdapServerSettings, LdapSettings, LdapUrl } from '../settings.ts';
import { parseEndpoint } from './endpoints.ts';
import { errorAt, type Fault, warningAt } from './faults.ts';
import { choice, count, duration, list, named, section, text } from './fields.ts';
import type { Files } from './files.ts';
import { checkPasswordFile, passwordIn } from './named-files.ts';
import { fault, type Parsed, show, value } from './parsed.ts';
import { keysOf, type Plain } from './plain.ts';
import type { Path } from './positions.ts';
import { checkReference } from './references.ts';
import { buildTlsFiles, checkTls, clientTls, tlsMode } from './tls.ts';

const urlForm = 'ldap://host[:port] or ldaps://host[:port]';
const attributeForm = 'the name of an attribute';
const fileForm = 'a path';

const tls = section(
  {
    mode: tlsMode(
      'STARTTLS with ldap:// URLs: optional goes on in plain text where it fails and never verifies, required does neither.',
    ),
    ...clientTls,
  },
  'How connections to the directory are encrypted; with ldaps:// they always are.',
).prefault({});

const server = section(
  {
    urls: list(
      text(parseUrl, urlForm, 'A server.'),
      urlForm,
      'The servers, in the order in which they are tried.',
    ).refine((urls) => urls.length > 0, { error: `[] is empty: expected ${urlForm}` }),
    bindDn: text(nonEmpty, 'a distinguished name', 'Who asks; left out, nobody (anonymous).').optional(),
    bindPassword: text(nonEmpty, 'a password', 'Its password; better in a file.').optional(),
    bindPasswordFile: text(nonEmpty, fileForm, 'File with its password.').optional(),
    tls,
    timeout: duration('5s', 0.1, 240, 'How long one answer may take, with connecting and over all URLs.'),
    connections: count(4, 1, 100, 'Connections at once.'),
    cacheSize: count(10_000, 100, 1_000_000, 'Answers kept.'),
    cacheTtl: duration(
      '900s',
      0,
      86_400,
      'How long an answer is believed, that there is no entry too; while the directory is down it serves on.',
    ),
  },
  'A directory.',
);

const attribute = (sentence: string) => text(parseAttribute, attributeForm, sentence).optional();

const routing = section(
  {
    server: text(nonEmpty, 'the name of a server under ldap.servers', 'The directory to ask.'),
    base: text(
      template(parseLdapBase),
      'a distinguished name of RFC 4514, in its values {a}, {u} and {d}',
      "Where to search; {a} is the recipient's address, {u} its local part, {d} its domain.",
    ),
    scope: choice(['sub', 'one', 'base'], 'How deep to search.').prefault('sub'),
    filter: text(template(parseLdapFilter), 'a filter of RFC 4515, in its values {a}, {u} and {d}', 'What to search.'),
    mailHostAttribute: attribute('Hosts that take the mail and, without callAheadAttribute, are asked.'),
    mailRoutingAddressAttribute: attribute('The address that takes the place of the recipient.'),
    callAheadAttribute: attribute('Hosts that are asked, and never take mail.'),
  },
  'A question to a directory; a listener names one.',
);

export const ldap = section(
  {
    servers: named(server, 'Directories, by name.'),
    routing: named(routing, 'What they are asked about a recipient, by name.'),
  },
  'Routing by a directory.',
);

const attributeKeys = ['mailHostAttribute', 'mailRoutingAddressAttribute', 'callAheadAttribute'] as const;

/** What belongs together, files that cannot be read, and passwords in plain text. */
export function checkLdap(root: Plain, files: Files): readonly Fault[] {
  const inside = (root.ldap ?? {}) as Plain;
  return [
    ...keysOf(inside, 'servers').flatMap(([name, settings]) => checkServer(['ldap', 'servers', name], settings, files)),
    ...keysOf(inside, 'routing').flatMap(([name, settings]) => checkRouting(root, ['ldap', 'routing', name], settings)),
  ];
}

function checkServer(path: Path, settings: Plain, files: Files): readonly Fault[] {
  const tlsSettings = (settings.tls ?? {}) as Plain;
  return [
    ...checkTls([...path, 'tls'], tlsSettings, files),
    ...checkBind(path, settings, files),
    ...checkPlainPassword(path, settings, tlsSettings),
  ];
}

function checkBind(path: Path, settings: Plain, files: Files): readonly Fault[] {
  const { bindDn = null, bindPassword = null, bindPasswordFile = null } = settings;
  if (bindPassword !== null && bindPasswordFile !== null)
    return [errorAt([...path, 'bindPassword'], 'given twice: expected bindPassword or bindPasswordFile')];
  // A name without a password is bound as nobody, and the server says that all is well (RFC 4513 §5.1.2).
  if (bindDn !== null && bindPassword === null && bindPasswordFile === null)
    return [errorAt([...path, 'bindPasswordFile'], 'missing: expected the password of bindDn')];
  if (bindDn === null && (bindPassword ?? bindPasswordFile) !== null)
    return [errorAt([...path, 'bindDn'], 'missing: expected whose password it is')];
  return checkPasswordFile([...path, 'bindPasswordFile'], bindPasswordFile, files);
}

function checkPlainPassword(path: Path, settings: Plain, tlsSettings: Plain): readonly Fault[] {
  if ((settings.bindDn ?? null) === null || tlsSettings.mode === 'required') return [];
  const urls = Array.isArray(settings.urls) ? settings.urls : [settings.urls];
  return urls.flatMap((url, index) => {
    const parsed = typeof url === 'string' ? parseUrl(url) : fault('');
    if (parsed.kind === 'fault' || parsed.value.implicitTls || isLoopback(parsed.value.host)) return [];
    const message = `${show(url)} gets the password in plain text: expected ldaps://, or tls.mode required`;
    return [warningAt([...path, 'urls', index], message)];
  });
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function checkRouting(root: Plain, path: Path, settings: Plain): readonly Fault[] {
  const faults = [...checkReference(root, 'ldap.servers', [...path, 'server'], settings.server)];
  if (attributeKeys.every((key) => (settings[key] ?? null) === null))
    faults.push(errorAt(path, `no attribute to read: expected ${attributeKeys.join(', ')}, or some of them`));
  return faults;
}

export function buildLdap(settings: z.output<typeof ldap>, files: Files): LdapSettings {
  const servers = new Map(
    Object.entries(settings.servers).map(([name, one]) => [name, Object.freeze(buildServer(name, one, files))]),
  );
  const routings = Object.entries(settings.routing).map(
    ([name, one]) => [name, buildRouting(name, one, servers)] as const,
  );
  return { servers, routing: new Map(routings) };
}

function buildServer(name: string, settings: z.output<typeof server>, files: Files): LdapServerSettings {
  const { urls, bindDn, bindPassword, bindPasswordFile } = settings;
  const password = bindPasswordFile === undefined ? (bindPassword ?? '') : passwordIn(bindPasswordFile, files);
  const { mode, verify, servername, minVersion } = settings.tls;
  return {
    name,
    urls,
    bind: bindDn === undefined ? null : { dn: bindDn, password: secretOf(password) },
    tls: { mode, verify, ...buildTlsFiles(settings.tls, files), servername: servername ?? null, minVersion },
    timeoutMs: settings.timeout,
    connections: settings.connections,
    cacheSize: settings.cacheSize,
    cacheTtlMs: settings.cacheTtl,
  };
}

function buildRouting(
  name: string,
  settings: z.output<typeof routing>,
  servers: ReadonlyMap<string, LdapServerSettings>,
): LdapRoutingSettings {
  const directory = servers.get(settings.server);
  // The reference was checked: whoever comes here without a server has broken that check, not the file.
  if (directory === undefined) throw new TypeError(`LDAP routing ${name} has no server`);
  return {
    name,
    server: directory,
    base: settings.base,
    scope: settings.scope,
    filter: settings.filter,
    mailHostAttribute: settings.mailHostAttribute ?? null,
    mailRoutingAddressAttribute: settings.mailRoutingAddressAttribute ?? null,
    callAheadAttribute: settings.callAheadAttribute ?? null,
  };
}

function parseUrl(input: string): Parsed<LdapUrl> {
  const [, scheme, authority] = /^(ldaps?):\/\/([^/?#@]*)\/?$/i.exec(input.trim()) ?? [];
  if (scheme === undefined || authority === undefined) return fault('is no URL of a directory');
  const endpoint = parseEndpoint(authority);
  if (endpoint.kind === 'fault') return endpoint;
  const implicitTls = scheme.toLowerCase() === 'ldaps';
  // RFC 4511 §5.2.1, and the custom of ldaps.
  const port = endpoint.value.port ?? (implicitTls ? 636 : 389);
  return value({ host: endpoint.value.host, port, implicitTls });
}

function template(
  parse: (input: string) => Readonly<{ kind: 'ok'; template: LdapTemplate }> | Readonly<{ kind: 'bad'; why: string }>,
) {
  return (input: string): Parsed<LdapTemplate> => {
    const parsed = parse(input);
    return parsed.kind === 'ok' ? value(parsed.template) : fault(parsed.why);
  };
}

function parseAttribute(input: string): Parsed<string> {
  return /^[A-Za-z][A-Za-z\d-]*$/.test(input) ? value(input) : fault('is no name of an attribute');
}

function nonEmpty(input: string): Parsed<string> {
  return input === '' ? fault('is empty') : value(input);
}
