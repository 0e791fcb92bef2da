/** What `top` shows of GET /api/v1/status (docs/api.md). */
export type Verdicts = Readonly<Record<'valid' | 'unknown' | 'refused' | 'temporary' | 'failed', number>>;
export type Bucket = Readonly<{ leSeconds: number | null; count: number }>;
/** Since the start of the gateway; `buckets` cumulative. */
export type Latency = Readonly<{ count: number; buckets: readonly Bucket[] }>;

export type ProfileState = Readonly<{
  name: string;
  mode: string;
  verdicts: Verdicts;
  sources: Readonly<Record<string, number>>;
  latency: Latency;
  cache: Readonly<{ positive: number; negative: number; size: number }>;
}>;

export type ServerState = Readonly<{
  profile: string;
  server: string;
  breaker: string;
  leftAloneSeconds: number;
  connections: Readonly<Record<'connecting' | 'idle' | 'busy' | 'lent' | 'limit' | 'waiting', number>>;
  probes: Verdicts;
  latency: Latency;
}>;

export type Offender = Readonly<{ client: string; listener: string; group: string; count: number; at: string }>;

export type Snapshot = Readonly<{
  hostname: string;
  version: string;
  startedAt: string;
  uptimeSeconds: number;
  state: string;
  listeners: readonly Readonly<{ sessions: number }>[];
  profiles: readonly ProfileState[];
  servers: readonly ServerState[];
  engine: Readonly<{ asking: number; waiting: number; destinations: number }>;
  messages: Readonly<{ relayed: number; refused: number }>;
  dhap: Readonly<{ crossings: number; offenders: readonly Offender[] }>;
  threads: readonly Readonly<{ thread: string; lagSeconds: number }>[];
  residentBytes: number;
}>;

const PARTS = ['listeners', 'profiles', 'servers', 'engine', 'messages', 'dhap', 'threads'] as const;

/** null: it is none, whoever sent it. */
export function snapshotOf(value: unknown): Snapshot | null {
  const given = value as Snapshot | null;
  const isWhole = typeof given === 'object' && given !== null && PARTS.every((part) => typeof given[part] === 'object');
  return isWhole ? given : null;
}
