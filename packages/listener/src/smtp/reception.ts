import {
  type Admission,
  type Client,
  type Emit,
  EVERYBODY,
  type ListenerSettings,
  type NamesOf,
} from '@callahead/core';
import type { Answer } from '../replies.ts';
import { SAYS } from '../texts.ts';
import { createPlaces, type Usage } from '../usage.ts';

export type ReceptionOptions = Readonly<{
  settings: Pick<ListenerSettings, 'name' | 'hostAccess'>;
  hostname: string;
  namesOf: NamesOf;
  usage: Usage;
  emit: Emit;
}>;

/** A client that has come: what it may do, what it is greeted with, and what ends its stay. `greeting` null: it is cut off without a word. */
export type Visit = Readonly<{ client: Client; greeting: Answer | null; leave: () => void }>;

/** What happens once a session, before the greeting (SPEC 6.2). */
export type Reception = Readonly<{
  /** Who a client is. Never rejects. */
  admit(address: string): Admission | Promise<Admission>;
  /** Whether a client may wait for its names to be looked up, `greeting` null; as many may as any policy lets in. Counts it until `leave`. */
  detain(session: string, address: string): Visit;
  /** Whether a client that is still there may stay; counts it until `leave`. */
  receive(session: string, client: Client): Visit;
}>;

export function createReception({ settings, hostname, namesOf, usage, emit }: ReceptionOptions): Reception {
  const { name: listener, hostAccess } = settings;
  const waiting = createPlaces();
  const welcome: Answer = { reply: { code: 220, enhanced: null, text: `${hostname} ESMTP` }, hangUp: false };

  function receive(session: string, client: Client): Visit {
    const { group, entry, policy } = client.admission;
    const about = { session, listener, client: client.address, group, policy: policy.name };
    if (hostAccess !== null) emit({ event: 'session.admitted', ...about, entry, action: policy.action });
    const stay = usage.enter(client.address, policy.maxConnectionsPerHost);
    const greeting = greet(client.admission, stay !== null);
    const code = greeting?.reply.code ?? 0;
    if (greeting !== welcome) emit({ event: 'session.refused', ...about, code, reason: reasonOf(client.admission) });
    return { client, greeting, leave: stay?.leave ?? (() => {}) };
  }

  /** Who keeps his reverse DNS slow would have every session there is, whatever his policy. */
  function detain(session: string, address: string): Visit {
    const client: Client = { address, admission: EVERYBODY };
    const stay = waiting.enter(address, hostAccess?.maxConnectionsPerHost ?? null);
    if (stay !== null) return { client, greeting: null, leave: stay.leave };
    const reply = SAYS.tooManyConnections;
    const about = { session, listener, client: address, group: '', policy: '' };
    emit({ event: 'session.refused', ...about, code: reply.code, reason: 'connections' });
    return { client, greeting: { reply, hangUp: true }, leave: () => {} };
  }

  function greet({ policy }: Admission, fits: boolean): Answer | null {
    switch (policy.action) {
      case 'refuse':
        return null;
      case 'reject': {
        const reply = policy.response ?? SAYS.accessDenied;
        // RFC 5321 §3.1 has the client say QUIT, and §3.8 us close after a 421. One that has come too often does not stay for it.
        return { reply, hangUp: reply.code === 421 || !fits };
      }
      case 'accept':
      case 'relay':
        return fits ? welcome : { reply: SAYS.tooManyConnections, hangUp: true };
    }
  }

  return { admit: (address) => hostAccess?.decide(address, namesOf) ?? EVERYBODY, detain, receive };
}

function reasonOf({ policy }: Admission): 'host' | 'connections' {
  return policy.action === 'reject' || policy.action === 'refuse' ? 'host' : 'connections';
}
