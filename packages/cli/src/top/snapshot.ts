/** What `top` shows of GET /api/v1/status (docs/api.md). */
import type { Status } from '@callahead/admin';

type Profile = Status['profiles'][number];
type Server = Status['servers'][number];

export type Verdicts = Readonly<Profile['verdicts']>;
/** Since the start of the gateway; `buckets` cumulative. */
export type Latency = Pick<Profile['latency'], 'count' | 'buckets'>;
export type ProfileState = Pick<Profile, 'name' | 'mode' | 'verdicts' | 'sources' | 'cache'> &
  Readonly<{ latency: Latency }>;
export type ServerState = Pick<
  Server,
  'profile' | 'server' | 'breaker' | 'leftAloneSeconds' | 'suspended' | 'catchAll' | 'connections' | 'probes'
> &
  Readonly<{ latency: Latency }>;

export type Snapshot = Pick<
  Status,
  'hostname' | 'version' | 'startedAt' | 'uptimeSeconds' | 'state' | 'engine' | 'residentBytes'
> &
  Readonly<{
    listeners: readonly Pick<Status['listeners'][number], 'sessions'>[];
    profiles: readonly ProfileState[];
    servers: readonly ServerState[];
    messages: Pick<Status['messages'], 'relayed' | 'refused'>;
    dhap: Readonly<{ crossings: number; offenders: readonly Omit<Status['dhap']['offenders'][number], 'samples'>[] }>;
    threads: readonly Pick<Status['threads'][number], 'thread' | 'lagSeconds'>[];
  }>;

const PARTS = ['listeners', 'profiles', 'servers', 'engine', 'messages', 'dhap', 'threads'] as const;

/** null: it is none, whoever sent it. */
export function snapshotOf(value: unknown): Snapshot | null {
  const given = value as Snapshot | null;
  const isWhole = typeof given === 'object' && given !== null && PARTS.every((part) => typeof given[part] === 'object');
  return isWhole ? given : null;
}
