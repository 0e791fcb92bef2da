import type { z } from 'zod';
import type { DeliverySettings } from '../settings.ts';
import type { Fault } from './faults.ts';
import { count, duration, section } from './fields.ts';
import type { Files } from './files.ts';
import { localInterface } from './local-interface.ts';
import { isPlain, type Plain } from './plain.ts';
import { buildServerTls, checkIdentity, tlsSection } from './server-tls.ts';
import { checkTls } from './tls.ts';

export const delivery = section(
  {
    tls: tlsSection('optional', 'How connections to delivery hosts are encrypted; over a unix socket they never are.'),
    interface: localInterface(
      "What the connections to delivery hosts come from: the system's choice, an interface (hosts of which it has no address are skipped), or an address.",
    ),
    connectTimeout: duration('10s', 0.1, 600, 'How long connecting to a delivery host may take.'),
    commandTimeout: duration('60s', 0.1, 600, 'How long a delivery host may take over one reply.'),
    endOfDataTimeout: duration('5m', 0.1, 3600, 'How long a delivery host may take over its reply to the end of data.'),
    maxConnectionsPerServer: count(
      50,
      1,
      10_000,
      'Connections to one delivery host at once, of all listeners together.',
    ),
    holdTime: duration(
      '4h',
      0,
      604_800,
      "How long a recipient that the delivery host refused at delivery is remembered for the sender's next try.",
    ),
  },
  'How accepted mail is passed on.',
);

/** `root`: the whole file. */
export function checkDelivery(root: Plain, files: Files): readonly Fault[] {
  const tls = isPlain(root.delivery) ? root.delivery.tls : null;
  if (!isPlain(tls)) return [];
  const written = { mode: 'optional', ...tls };
  // Nobody is warned of what nobody wrote: TLS is tried wherever it is offered.
  return [...checkTls(['delivery', 'tls'], written, files), ...checkIdentity(['delivery'], written)];
}

export function buildDelivery(settings: z.output<typeof delivery>, files: Files): DeliverySettings {
  return {
    tls: buildServerTls(settings.tls, files),
    interface: settings.interface,
    connectTimeoutMs: settings.connectTimeout,
    commandTimeoutMs: settings.commandTimeout,
    endOfDataTimeoutMs: settings.endOfDataTimeout,
    maxConnectionsPerServer: settings.maxConnectionsPerServer,
    holdTimeMs: settings.holdTime,
  };
}
