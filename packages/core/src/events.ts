import type { Verdict } from './verdict.ts';

/** What happened, for logs and metrics. Only the command line writes logs; the packages emit these. Stable names (STYLE 12). */
export type Event =
  | Readonly<{ event: 'session.opened' | 'session.closed'; session: string; listener: string; client: string }>
  | Readonly<{
      event: 'recipient.accepted';
      session: string;
      listener: string;
      client: string;
      recipient: string;
      kind: Verdict['kind'] | 'bypassed' | 'unchecked';
      source: string;
      monitor: boolean;
    }>
  | Readonly<{
      event: 'recipient.rejected';
      session: string;
      listener: string;
      client: string;
      recipient: string;
      code: number;
      reason: string;
      ref: string;
    }>
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
  | Readonly<{ event: 'client.error'; session: string; listener: string; client: string; error: string }>;

export type Emit = (event: Event) => void;
