import type { Policy } from './access/host-access.ts';
import type { Source, VerdictKind } from './verdict.ts';

/** How far the question about a recipient went: its verdict, or why there is none. `unasked`: refused before anybody would have been asked. */
export type Checked = VerdictKind | 'bypassed' | 'unchecked' | 'unasked';

/**
 * What is known of a recipient when it is answered. `profile` and `server` are empty where there is none, `source` where there is no verdict.
 * `tookMs`: from the parsed RCPT line to the verdict, 0 where there is none. `ref`: of the dialogue, or of the session where there was none and the
 * recipient is refused; of an accepted recipient it is empty where there was none.
 */
export type CheckedRecipient = Readonly<{
  session: string;
  listener: string;
  client: string;
  recipient: string;
  kind: Checked;
  source: Source | '';
  profile: string;
  server: string;
  tookMs: number;
  ref: string;
}>;

/** Why a client is not served: its listener has as many sessions as it may, or the engine as many recipients. */
export type ShedReason = 'sessions' | 'overload';

/** What happened, for logs and metrics. Only the command line writes logs; the packages emit these. Stable names (STYLE 12). */
export type Event =
  /** `generation` counts the configurations since the start, from 1: by it the session goes. */
  | Readonly<{ event: 'session.opened'; session: string; listener: string; client: string; generation: number }>
  | Readonly<{ event: 'session.closed'; session: string; listener: string; client: string }>
  /** Sockets as `LISTENER host:port`. `restart`: keys whose new values count only after a restart. */
  | Readonly<{
      event: 'gateway.reloaded';
      generation: number;
      opened: readonly string[];
      closed: readonly string[];
      kept: readonly string[];
      restart: readonly string[];
    }>
  /** One for each problem; nothing has changed. */
  | Readonly<{ event: 'gateway.reload-refused' | 'gateway.reload-warning'; problem: string }>
  /** The last session of an earlier configuration has ended. */
  | Readonly<{ event: 'gateway.generation-ended'; generation: number }>
  /** What host access says of a client, once a session. */
  | Readonly<{
      event: 'session.admitted';
      session: string;
      listener: string;
      client: string;
      group: string;
      entry: string;
      policy: string;
      action: Policy['action'];
    }>
  /** A client was turned away for its group (`host`), or by a limit of its policy. `code` 0: without a word. */
  | Readonly<{
      event: 'session.refused';
      session: string;
      listener: string;
      client: string;
      group: string;
      policy: string;
      code: number;
      reason: 'host' | 'connections' | 'messages';
    }>
  /** Clients that there was no room for since the last of these. `client` is the last. */
  | Readonly<{
      event: 'session.shed';
      listener: string;
      reason: ShedReason;
      count: number;
      client: string;
    }>
  /** As TLS names them: `TLSv1.3`, `TLS_AES_256_GCM_SHA384`. */
  | Readonly<{
      event: 'session.secured';
      session: string;
      listener: string;
      client: string;
      protocol: string;
      cipher: string;
    }>
  /** There was no handshake. `session` is empty where TLS would have come first. */
  | Readonly<{ event: 'session.not-secured'; session: string; listener: string; client: string; reason: string }>
  /** A trusted proxy did not say for whom it speaks. */
  | Readonly<{ event: 'proxy.refused'; listener: string; proxy: string; reason: string }>
  | (CheckedRecipient & Readonly<{ event: 'recipient.accepted'; code: number; monitor: boolean }>)
  | (CheckedRecipient & Readonly<{ event: 'recipient.rejected'; code: number; reason: string }>)
  | Readonly<{
      event: 'message.relayed';
      session: string;
      listener: string;
      client: string;
      recipients: number;
      bytes: number;
      server: string;
      reply: string;
    }>
  /** The next hop took it, and its sender was gone before it was told so: it will come again, and arrive twice. */
  | Readonly<{
      event: 'message.unacknowledged';
      session: string;
      listener: string;
      client: string;
      recipients: number;
      bytes: number;
      server: string;
      reply: string;
    }>
  | Readonly<{
      event: 'message.refused';
      session: string;
      listener: string;
      client: string;
      recipients: number;
      bytes: number;
      server: string;
      reply: string;
      reason: string;
    }>
  | Readonly<{
      event: 'message.discarded';
      session: string;
      listener: string;
      client: string;
      recipients: number;
      bytes: number;
    }>
  /** A client has had as many invalid recipients within an hour as its policy allows. `client`: its prefix; `samples`: the last of them; `until`: ISO 8601. */
  | Readonly<{
      event: 'dhap.blocked';
      listener: string;
      client: string;
      group: string;
      policy: string;
      count: number;
      samples: readonly string[];
      until: string;
    }>
  | Readonly<{ event: 'probe.dialogue'; ref: string; recipient: string; server: string; lines: readonly string[] }>
  | Readonly<{ event: 'breaker.opened' | 'breaker.closed'; profile: string; server: string; untilMs: number }>
  /** A server refuses whom it has to know: what it refuses is not believed until it accepts that recipient again (`canary.recovered`). */
  | Readonly<{
      event: 'canary.failed';
      profile: string;
      server: string;
      recipient: string;
      kind: 'unknown' | 'refused';
      reply: string;
      ref: string;
    }>
  /** It accepts whom nobody can have (`catch-all`), and does so no more (`selective`). */
  | Readonly<{
      event: 'canary.recovered' | 'canary.catch-all' | 'canary.selective';
      profile: string;
      server: string;
      recipient: string;
    }>
  /** Nothing was found out, and nothing changes. `kind` is the verdict's; `valid` and `unknown` are those that no server gave. */
  | Readonly<{
      event: 'canary.unanswered';
      profile: string;
      server: string;
      recipient: string;
      kind: VerdictKind;
      ref: string;
    }>
  | Readonly<{ event: 'cache.loaded'; file: string; destinations: number }>
  | Readonly<{ event: 'cache.saved'; file: string; entries: number; octets: number }>
  /** What is in the file cannot be used: the cache begins empty. */
  | Readonly<{ event: 'cache.damaged'; file: string; error: string }>
  /** It cannot be written; the file is as it was. */
  | Readonly<{ event: 'cache.unsaved'; file: string; error: string }>
  | Readonly<{ event: 'thread.replaced'; thread: number; reason: string; outstanding: number }>
  | Readonly<{ event: 'actor.crashed'; thread: number; destination: string; error: string }>
  | Readonly<{ event: 'directory.up'; server: string; url: string }>
  | Readonly<{ event: 'directory.down'; server: string; url: string; error: string }>
  | Readonly<{
      event: 'directory.entry-refused';
      server: string;
      routing: string;
      dn: string;
      attribute: string;
      value: string;
      reason: string;
    }>
  /** Somebody did something by the HTTP API; `about` is what it was done to. */
  | Readonly<{ event: 'admin.acted'; action: 'flush' | 'verify' | 'explain' | 'reload'; client: string; about: string }>
  /** Requests that were not allowed. `count`: how many since the last of these; the other fields are those of the last one. */
  | Readonly<{ event: 'admin.refused'; client: string; path: string; kind: string; count: number }>
  /** A request that could not be answered. */
  | Readonly<{ event: 'admin.failed'; client: string; path: string; error: string }>
  | Readonly<{ event: 'client.error'; session: string; listener: string; client: string; error: string }>;

export type Emit = (event: Event) => void;
