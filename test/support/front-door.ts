/** A listener of the front door with three-line fakes behind it. */
import type {
  Actions,
  DeliveryRouting,
  Event,
  Limits,
  ListenerSettings,
  Protocol,
  Recipient,
  RecipientAccess,
  Reply,
  Validate,
} from '@callahead/core';
import { createListener, type HoldSource, type Listener, type Locate, type Relay } from '@callahead/listener';
import type { ExecutionContext } from 'ava';
import { recipientOf } from './recipients.ts';
import { routeTo } from './routes.ts';
import { profileOf } from './routing.ts';

export const LIMITS: Limits = {
  sessions: 100,
  recipientsPerMessage: 1_000,
  messageSize: 1_000_000,
  lookAhead: 100,
  syntaxErrors: 20,
  idleTimeoutMs: 60_000,
  commandTimeoutMs: 60_000,
  sessionTimeoutMs: 600_000,
  minDataRate: 500,
};

/** Accepts everybody of example.com, and nobody else; `free@example.com` and `loud@example.com` are not asked about. */
export const ACCESS: RecipientAccess = {
  decide({ domain, local }) {
    if (domain !== 'example.com') {
      return { kind: 'reject', entry: '', reply: { code: 550, enhanced: '5.7.1', text: 'Relaying denied' } };
    }
    return { kind: 'accept', entry: 'example.com', bypassCallAhead: local === 'free', profile: null };
  },
  profiles: [],
};

/** Users are valid, everybody else is unknown. */
export function knows(...users: readonly string[]): Validate {
  return ({ recipient }) =>
    users.includes(recipient.local)
      ? { kind: 'valid', source: 'server', server: 'mail.internal:25' }
      : {
          kind: 'unknown',
          source: 'server',
          server: 'mail.internal:25',
          reply: { code: 550, enhanced: '5.1.1', text: 'mail.internal knows no such user' },
          ref: 'ref1',
        };
}

/** Everything is delivered to one host. */
export const locateAll: Locate = ({ recipient }) => ({
  kind: 'ask',
  recipient,
  route: { ...routeTo([25]), protocol: 'smtp' },
});

export type FakeDelivery = Readonly<{ sender: string; recipients: readonly string[]; data: string; ended: boolean }>;

/** A relay that takes everything, and keeps it. */
export function fakeRelay({
  refuse = null,
  end = async () => ({ code: 250, enhanced: '2.0.0', text: 'Queued at mail.internal' }),
}: Readonly<{ refuse?: Reply | null; end?: () => Promise<Reply> }> = {}): Pick<Relay, 'open'> & {
  deliveries: FakeDelivery[];
  opened: number;
  aborted: number;
} {
  const relay = {
    deliveries: [] as FakeDelivery[],
    opened: 0,
    aborted: 0,
    open: (async ({ sender, recipients }) => {
      relay.opened++;
      if (refuse !== null) return { kind: 'refused', reply: refuse, server: 'mail.internal:25' };
      const pieces: Buffer[] = [];
      return {
        kind: 'open',
        delivery: {
          server: 'mail.internal:25',
          write: (octets) => {
            pieces.push(Buffer.from(octets));
          },
          async finish() {
            const data = Buffer.concat(pieces).toString('latin1');
            relay.deliveries.push({ sender, recipients: recipients.map((one) => one.address), data, ended: true });
            return end();
          },
          abort() {
            relay.aborted++;
          },
        },
      };
    }) satisfies Relay['open'],
  };
  return relay;
}

export type DoorOptions = Readonly<{
  validate?: Validate;
  locate?: Locate;
  relay?: Pick<Relay, 'open'>;
  holds?: HoldSource;
  overloaded?: () => boolean;
  settings?: Partial<ListenerSettings>;
  actions?: Partial<Actions>;
  limits?: Partial<Limits>;
  validationTimeoutMs?: number;
}>;

export type FrontDoor = Readonly<{ port: number; listener: Listener; events: Event[] }>;

/** A public listener that relays, on a free port of 127.0.0.1. */
export function frontDoorSettings(changes: Partial<ListenerSettings> = {}): ListenerSettings {
  return {
    name: 'inbound',
    type: 'public',
    listen: [{ host: '127.0.0.1', port: 0 }],
    profile: profileOf(null),
    recipientAccess: ACCESS,
    hostAccess: null,
    ldapRouting: null,
    relay: true,
    postmaster: recipientOf('postmaster@example.com'),
    bareNewline: 'reject',
    tls: null,
    proxyProtocol: null,
    limits: LIMITS,
    ...changes,
  };
}

/** A front door on a free port of 127.0.0.1, taken down with the test. */
export async function openFrontDoor(t: ExecutionContext, options: DoorOptions = {}): Promise<FrontDoor> {
  const events: Event[] = [];
  const base = profileOf(null);
  const profile = {
    ...base,
    validationTimeoutMs: options.validationTimeoutMs ?? base.validationTimeoutMs,
    actions: { ...base.actions, ...options.actions },
  };
  const listener = createListener({
    settings: frontDoorSettings({ profile, ...options.settings, limits: { ...LIMITS, ...options.limits } }),
    hostname: 'mx.gateway.example',
    validate: options.validate ?? knows('known'),
    locate: options.locate ?? locateAll,
    relay: options.relay ?? fakeRelay(),
    ...(options.holds === undefined ? {} : { holds: options.holds }),
    overloaded: options.overloaded ?? (() => false),
    emit: (event) => void events.push(event),
    now: () => performance.now(),
  });
  const [address = ''] = await listener.listen();
  t.teardown(() => listener.drain(performance.now()));
  return { port: Number(address.slice(address.lastIndexOf(':') + 1)), listener, events };
}

/** Where a recipient is delivered, by the name of the route. */
export function deliveredTo(key: string, recipient: Recipient, protocol: Protocol = 'smtp'): DeliveryRouting {
  return { kind: 'ask', recipient, route: { ...routeTo([25], {}, { key }), protocol } };
}
