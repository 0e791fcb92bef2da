import type { z } from 'zod';
import type { DeliverySettings } from '../settings.ts';
import { duration, section } from './fields.ts';
import { localInterface } from './local-interface.ts';

export const delivery = section(
  {
    interface: localInterface(
      "What the connections to delivery hosts come from: the system's choice, an interface (hosts of which it has no address are skipped), or an address.",
    ),
    connectTimeout: duration('10s', 0.1, 600, 'How long connecting to a delivery host may take.'),
    commandTimeout: duration('60s', 0.1, 600, 'How long a delivery host may take over one reply.'),
    endOfDataTimeout: duration('5m', 0.1, 3600, 'How long a delivery host may take over its reply to the end of data.'),
    holdTime: duration(
      '4h',
      0,
      604_800,
      "How long a recipient that the delivery host refused at delivery is remembered for the sender's next try.",
    ),
  },
  'How accepted mail is passed on.',
);

export function buildDelivery(settings: z.output<typeof delivery>): DeliverySettings {
  return {
    interface: settings.interface,
    connectTimeoutMs: settings.connectTimeout,
    commandTimeoutMs: settings.commandTimeout,
    endOfDataTimeoutMs: settings.endOfDataTimeout,
    holdTimeMs: settings.holdTime,
  };
}
