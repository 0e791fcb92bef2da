import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DeliveryRoute, Emit, ListenerSettings, Validate, Verdict } from '@callahead/core';
import { parseConfiguration } from '@callahead/core/config';
import { createListener, type Listener } from './listener.ts';
import { createOwnRelay, type Deliver } from './own-relay.ts';

/** A front door of one's own. `listener` and `profile` are keys of a listener and of a call-ahead profile as the configuration file has them. */
export type FrontDoorOptions = Readonly<{
  /** Our own name: banner, EHLO, Received. */
  hostname: string;
  /** `host:port`; port 0 lets the system choose. */
  listen: string | readonly string[];
  /** What is ours, as the patterns of a recipient access table; everybody else is refused without a question. */
  recipients: readonly string[];
  /** Finds out about one recipient, for instance by the engine of `@callahead/workers`. VALID and UNKNOWN are the usual verdicts. */
  validate: Validate;
  /** Takes the messages; omitted, DATA is refused. */
  deliver?: Deliver;
  listener?: Readonly<Record<string, unknown>>;
  profile?: Readonly<Record<string, unknown>>;
  emit?: Emit;
}>;

export const VALID: Verdict = { kind: 'valid', source: 'server', server: '' };
export const UNKNOWN: Verdict = {
  kind: 'unknown',
  source: 'server',
  server: '',
  reply: { code: 550, enhanced: '5.1.1', text: 'No such recipient here' },
  ref: '',
};

/** Everything goes to the one function. */
const ROUTE: DeliveryRoute = { key: '', generation: 1, tiers: [], within: 'rotate', protocol: 'smtp' };

/** A listener with the configuration file's own checks and defaults, before any `validate` and `deliver`. Throws ConfigurationError with every problem. */
export function createFrontDoor(options: FrontDoorOptions): Listener {
  const { hostname, validate, deliver, emit = () => {} } = options;
  const now = (): number => performance.now();
  return createListener({
    settings: settingsOf(options),
    hostname,
    validate,
    locate: ({ recipient }) => ({ kind: 'ask', recipient, route: ROUTE }),
    relay: createOwnRelay(deliver ?? refuse, now),
    overloaded: () => false,
    emit,
    now,
  });
}

function settingsOf({ hostname, listen, recipients, deliver, listener, profile }: FrontDoorOptions): ListenerSettings {
  const [domain = hostname] = recipients.filter((pattern) => /^[\w-]+(?:\.[\w-]+)+$/.test(pattern));
  const file = {
    hostname,
    listeners: {
      door: {
        type: 'public',
        listen,
        callAheadProfile: 'own',
        recipientAccess: 'own',
        relay: deliver !== undefined,
        postmaster: `postmaster@${domain}`,
        ...listener,
      },
    },
    // What its own functions say is the embedder's to say.
    callAheadProfiles: { own: { serverType: 'delivery-host', serverReply: 'pass', ...profile } },
    recipientAccess: { own: [{ match: recipients, action: 'accept' }] },
  };
  const { configuration } = parseConfiguration(JSON.stringify(file), {
    file: join(process.cwd(), 'front-door'),
    env: {},
    cores: 1,
    readText,
  });
  const [settings] = configuration.listeners;
  if (settings === undefined) throw new TypeError('a configuration with one listener has none');
  return settings;
}

function readText(file: string): string | Error {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    return cause instanceof Error ? cause : new Error(String(cause));
  }
}

/** Never called: a listener that does not relay opens nothing. */
function refuse(): never {
  throw new TypeError('nobody takes messages here');
}
