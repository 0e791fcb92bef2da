/** Who may ask what (SPEC 10.4). */
import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type { Secret } from '@callahead/core';
import { Problem } from './problem.ts';

/** `open`: anybody. `read`: who has the token, or anybody on this machine where there is none. `act`: who has the token, nobody where there is none. */
export type Access = 'open' | 'read' | 'act';

/** What of a request counts. Names of headers in lower case. */
export type Asked = Readonly<{
  method: string;
  headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}>;

/** Throws a Problem where the request may not do that. */
export type Guard = (asked: Asked, access: Access) => void;

export function createGuard(token: Secret | null): Guard {
  const expected = token === null ? null : digest(token.reveal());
  return (asked, access) => {
    if (asked.method !== 'GET' && asked.method !== 'HEAD') refuseForeign(asked);
    if (access === 'open') return;
    if (expected === null) {
      refuseRebound(asked);
      refuseUnseen(asked);
      if (access === 'act')
        throw new Problem('forbidden', 'this needs a token, and none is configured: expected admin.tokenFile');
      return;
    }
    const [, said = ''] = /^Bearer +([!-~]+)$/i.exec(header(asked, 'authorization')) ?? [];
    if (timingSafeEqual(digest(said), expected)) return;
    throw new Problem('unauthorized', 'the token is missing or wrong: expected Authorization: Bearer TOKEN', null, {
      'www-authenticate': 'Bearer realm="callahead"',
    });
  };
}

/** Digests are of one length, which a comparison in constant time needs. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function header({ headers }: Asked, name: string): string {
  const value = headers[name];
  return typeof value === 'string' ? value : '';
}

/** A web page of another site can send a form here in its reader's name. */
function refuseForeign(asked: Asked): void {
  const origin = header(asked, 'origin');
  if (origin === '') return;
  const host = URL.canParse(origin) ? new URL(origin).host : '';
  if (host !== '' && host === header(asked, 'host').toLowerCase()) return;
  throw new Problem('forbidden', 'the request comes from another site: expected the Origin of this one');
}

/** A web page of another site can give its own name our address, and then reads what it likes: only addresses and `localhost` are nobody's name. */
function refuseRebound(asked: Asked): void {
  const host = header(asked, 'host').toLowerCase();
  const [, name = ''] = /^(\[[^\]]*\]|[^:]*)(?::\d+)?$/.exec(host) ?? [];
  if (name === 'localhost' || isIP(name.replace(/^\[|\]$/g, '')) !== 0) return;
  throw new Problem('forbidden', 'without a token the Host must be localhost or an address: a name may be anybody’s');
}

/** A web page of another site cannot read what it asks for here, but could keep every event stream open. A link to here is harmless. */
function refuseUnseen(asked: Asked): void {
  const site = header(asked, 'sec-fetch-site');
  if ((site !== 'cross-site' && site !== 'same-site') || header(asked, 'sec-fetch-mode') === 'navigate') return;
  throw new Problem('forbidden', 'the request comes from a page of another site: expected one of this gateway’s own');
}
