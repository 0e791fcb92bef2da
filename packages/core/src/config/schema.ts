import { z } from 'zod';
import { admin } from './admin.ts';
import { cacheFile } from './cache-file.ts';
import { delivery } from './delivery.ts';
import { dns } from './dns.ts';
import { engine } from './engine.ts';
import type { JsonSchema } from './faults.ts';
import { section } from './fields.ts';
import { drainTimeout, hostname, log, self } from './general.ts';
import { hostAccess } from './host-access.ts';
import { ldap } from './ldap.ts';
import { listeners } from './listeners.ts';
import { callAheadProfiles } from './profiles.ts';
import { recipientAccess } from './recipient-access.ts';
import { smtpRoutes, smtpRoutesFile } from './smtp-routes.ts';

/** The whole file. Its keys stand in the order of the reference page. */
export const root = section(
  {
    hostname,
    drainTimeout,
    log: log.prefault({}),
    self: self.prefault({}),
    listeners,
    callAheadProfiles,
    recipientAccess,
    hostAccess,
    smtpRoutes,
    smtpRoutesFile,
    ldap: ldap.prefault({}),
    dns: dns.prefault({}),
    delivery: delivery.prefault({}),
    engine: engine.prefault({}),
    admin,
    cacheFile,
  },
  'The configuration of callahead.',
);

export type Settings = z.output<typeof root>;

/** The file's JSON Schema: every key with its sentence, its default and, under `x-expected`, its values in words. */
export function configurationSchema(): object {
  return jsonSchema;
}

export const jsonSchema = z.toJSONSchema(root, { io: 'input' }) as JsonSchema;
