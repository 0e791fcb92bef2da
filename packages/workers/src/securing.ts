/** TLS with a server, and who we say we are (SPEC 9.1). */
import { authenticate, linger, type Probe, type ServerTls, startTls } from '@callahead/core';
import { type Greeted, sayHello } from './greeting.ts';
import { judgeServer } from './judge.ts';
import { broken, type NotOpen, refused } from './not-open.ts';

/** `name` led to the server. `avoidsTls`: where it is optional it is not tried. */
export type SecuringOptions = Readonly<{
  probe: Probe;
  name: string;
  avoidsTls: boolean;
  untilMs: number;
  now: () => number;
}>;

/**
 * A conversation over TLS in which the server knows who we are, as far as the profile wants that. `tls` is the cause where TLS that is optional
 * broke: the server may be asked in plain text, on a new connection.
 */
export async function secure(greeted: Greeted, options: SecuringOptions): Promise<Greeted | NotOpen> {
  const { tls, auth } = options.probe;
  const encrypted = tls === null ? withoutTls(greeted, 'it is off') : await encrypt(greeted, tls, options);
  switch (encrypted.kind) {
    case 'temporary':
      return encrypted;
    case 'failed':
      if (encrypted.cause !== 'tls' || tls?.mode !== 'optional' || auth === null) return encrypted;
      return { ...encrypted, cause: 'policy', detail: `AUTH needs TLS: ${encrypted.detail}` };
    case 'plain': {
      if (auth === null) return encrypted.greeted;
      const detail = `AUTH needs TLS: ${encrypted.why}`;
      return refused(greeted.conversation, { kind: 'failed', cause: 'policy', detail });
    }
    case 'greeted':
      return identify(encrypted, options);
  }
}

type Plain = Readonly<{ kind: 'plain'; greeted: Greeted; why: string }>;

function withoutTls(greeted: Greeted, why: string): Plain {
  return { kind: 'plain', greeted, why };
}

async function encrypt(
  greeted: Greeted,
  tls: ServerTls,
  { probe, name, avoidsTls, untilMs, now }: SecuringOptions,
): Promise<Greeted | NotOpen | Plain> {
  const { conversation, capabilities } = greeted;
  const isOptional = tls.mode === 'optional';
  if (isOptional && avoidsTls) return withoutTls(greeted, 'it broke before');
  if (!capabilities.startTls) return impossible('the server does not offer STARTTLS');
  // Time is left for plain text.
  const deadlineMs = Math.min(now() + (untilMs - now()) / (isOptional ? 2 : 1), now() + probe.commandTimeoutMs);
  const { commandTimeoutMs } = probe;
  const secured = await startTls(conversation, { tls, name, deadlineMs, now, commandTimeoutMs });
  switch (secured.kind) {
    case 'broken':
      return broken(conversation, secured, 'tls');
    case 'failed': {
      const { detail, lines, closed } = secured;
      return { kind: 'failed', cause: 'tls', detail, during: 'conversation', lines, gone: closed.then(linger) };
    }
    case 'refused': {
      const { reply } = secured;
      // It does not say no, it says goodbye (RFC 5321 §3.8).
      if (reply.code === 421) return refused(conversation, { kind: 'temporary', reply });
      return impossible(`STARTTLS: ${reply.code} ${reply.text}`);
    }
    case 'secure': {
      const again = await sayHello(secured.conversation, probe, untilMs, 'no-helo');
      // Over TLS 1.3 a server that wants a certificate says so when our half of the handshake is done (RFC 8446 §4.4.2.4).
      return again.kind === 'failed' && again.cause === 'connect' ? { ...again, cause: 'tls' } : again;
    }
  }

  function impossible(why: string): NotOpen | Plain {
    if (isOptional) return withoutTls(greeted, why);
    return refused(conversation, { kind: 'failed', cause: 'tls', detail: why });
  }
}

async function identify(greeted: Greeted, { probe, untilMs }: SecuringOptions): Promise<Greeted | NotOpen> {
  if (probe.auth === null) return greeted;
  const { conversation, capabilities } = greeted;
  const said = await authenticate(conversation, probe.auth, capabilities.auth, untilMs);
  if (said === null) {
    const detail = 'the server offers neither AUTH PLAIN nor AUTH LOGIN';
    return refused(conversation, { kind: 'failed', cause: 'policy', detail });
  }
  if (said.kind === 'broken') return broken(conversation, said);
  const trouble = judgeServer('auth', said.reply);
  return trouble === null ? greeted : refused(conversation, trouble);
}
