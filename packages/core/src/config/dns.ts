import type { z } from 'zod';
import { hostPort } from '../server.ts';
import type { DnsSettings } from '../settings.ts';
import { parseEndpoint } from './endpoints.ts';
import { duration, flag, list, section, text } from './fields.ts';
import { fault, type Parsed, value } from './parsed.ts';

const domainPort = 53;

export const dns = section(
  {
    servers: list(
      text(parseResolver, 'address or address:port', 'The address of a resolver.'),
      'addresses of resolvers',
      "The resolvers to ask; left out, the system's.",
    )
      .refine((servers) => servers.length > 0, { error: '[] is empty: expected addresses of resolvers' })
      .optional(),
    timeout: duration('5s', 0.1, 240, 'How long one query may take, over all resolvers.'),
    allowReserved: flag(
      false,
      'Connect to loopback and other reserved addresses even where only DNS, not this file, leads there.',
    ),
  },
  'How names are looked up.',
);

export function buildDns(settings: z.output<typeof dns>): DnsSettings {
  return {
    servers: settings.servers ?? null,
    timeoutMs: settings.timeout,
    allowReserved: settings.allowReserved,
  };
}

function parseResolver(input: string): Parsed<string> {
  const endpoint = parseEndpoint(input);
  if (endpoint.kind === 'fault') return endpoint;
  if (!endpoint.value.literal) return fault('names a host, not an address');
  return value(hostPort(endpoint.value.host, endpoint.value.port ?? domainPort));
}
