import { isIP } from 'node:net';
import { z } from 'zod';
import type { Hop } from '../profile.ts';
import { parseEndpoint } from './endpoints.ts';
import { errorAt, type Fault } from './faults.ts';
import { about, expecting, list, text } from './fields.ts';
import { parseLocalInterface } from './local-interface.ts';
import { fault, type Parsed, show, value } from './parsed.ts';
import type { Plain } from './plain.ts';
import type { Path } from './positions.ts';

/** The servers of a static profile. */
export const servers = list(
  text(parseServer, 'host, host:port, [IPv6], [IPv6]:port or unix:/path', 'A server.'),
  'host[:port], or unix:/path with protocol lmtp, separated by commas or as a list',
  'The servers to ask, in turns; required with static, and only there.',
  (input) => input.split(',').map((server) => server.trim()),
)
  .refine((given) => given.length > 0, { error: '[] is empty: expected at least one host[:port]' })
  .optional();

const families = ['any', 4, 6] as const;

export const ipFamily = z
  .preprocess(
    (input) => (input === '4' || input === '6' ? Number(input) : input),
    z.literal(families, expecting('any, 4 or 6')),
  )
  .prefault('any')
  .meta(about('any, 4 or 6', 'Connect to addresses of this family only.'));

/** `servers` belongs to `serverType: static` and to nothing else, and each of them can be reached by the profile's other settings. */
export function checkServers(path: Path, settings: Plain): readonly Fault[] {
  const at = [...path, 'servers'];
  const byDeliveryHost = settings.serverType === 'delivery-host';
  const isStatic = (settings.serverType ?? 'static') === 'static';
  const given = (settings.servers ?? null) !== null;
  if (isStatic && !given) return [errorAt(at, 'missing: expected servers, for serverType is static')];
  if (byDeliveryHost && given) {
    const message = 'not allowed with serverType delivery-host: expected serverType static, or no servers';
    return [{ ...errorAt(at, message), blame: 'key' }];
  }
  return written(settings.servers).flatMap(({ server, place }) => {
    const why = whyUnreachable(server, settings);
    return why === null ? [] : [errorAt([...at, ...place], `${show(server)} ${why}`)];
  });
}

/** The servers as the file has them, and where in the list; a text is one place. */
function written(input: unknown): readonly Readonly<{ server: string; place: readonly number[] }>[] {
  if (typeof input === 'string') return input.split(',').map((server) => ({ server: server.trim(), place: [] }));
  if (!Array.isArray(input)) return [];
  return input.flatMap((server, i) => (typeof server === 'string' ? [{ server, place: [i] }] : []));
}

/** Why a server can never be asked by a profile with these settings; null: it can, or is wrong in another way. */
function whyUnreachable(server: string, settings: Plain): string | null {
  const parsed = parseServer(server);
  if (parsed.kind === 'fault') return null;
  const { name, lookup } = parsed.value;
  if (lookup === 'unix')
    return settings.protocol === 'lmtp' ? null : 'is a unix socket: expected protocol lmtp, or host[:port]';
  if (lookup !== 'none') return null;
  const family = isIP(name);
  const wanted = String(settings.ipFamily);
  if ((wanted === '4' || wanted === '6') && wanted !== String(family))
    return `is an IPv${family} address: expected an IPv${wanted} one, for ipFamily is ${wanted}`;
  const local = parseLocalInterface(typeof settings.interface === 'string' ? settings.interface : 'auto');
  if (local.kind === 'fault' || local.value.kind !== 'address') return null;
  const { address } = local.value;
  if (isIP(address) === family) return null;
  return `is an IPv${family} address: expected an IPv${isIP(address)} one, for interface is ${address}`;
}

/** SPEC 5.5: a name is looked up, MX first; an address or a unix socket is the server. */
function parseServer(input: string): Parsed<Hop> {
  const path = /^unix:(.*)$/s.exec(input.trim())?.[1];
  if (path !== undefined) return parseSocket(path);
  const endpoint = parseEndpoint(input);
  if (endpoint.kind === 'fault') return endpoint;
  const { host, port, literal } = endpoint.value;
  return value({ name: host, port, portFrom: port === null ? 'default' : 'static', lookup: literal ? 'none' : 'mx' });
}

/** What fits into sun_path of Linux, less the final NUL (unix(7)). */
const MAX_PATH_OCTETS = 107;

function parseSocket(path: string): Parsed<Hop> {
  if (!path.startsWith('/')) return fault('has no absolute path');
  // It stands in logs and metrics as it is.
  if (/[^\x21-\x7e]/.test(path)) return fault('has a path with something else than printable ASCII without spaces');
  if (path.length > MAX_PATH_OCTETS) return fault(`has a path of more than ${MAX_PATH_OCTETS} octets`);
  return value({ name: path, port: null, portFrom: 'static', lookup: 'unix' });
}
