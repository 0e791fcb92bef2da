import { isIPv4 } from 'node:net';
import type { z } from 'zod';
import { secretOf } from '../secret.ts';
import { hostPort } from '../server.ts';
import type { AdminSettings } from '../settings.ts';
import { parseListenAddress } from './endpoints.ts';
import { errorAt, type Fault } from './faults.ts';
import { section, text } from './fields.ts';
import type { Files } from './files.ts';
import { checkPasswordFile, passwordIn } from './named-files.ts';
import { fault, type Parsed, show, value } from './parsed.ts';
import type { Plain } from './plain.ts';
import { keysOf } from './plain.ts';
import type { Path } from './positions.ts';

const SHORTEST_TOKEN = 16;
const tokenForm = `at least ${SHORTEST_TOKEN} visible ASCII characters`;

export const admin = section(
  {
    listen: text(parseListenAddress, 'address:port', 'The socket to listen on; port 0 lets the system choose.'),
    token: text(
      value<string>,
      tokenForm,
      'Who says it may read everything and act; required off loopback, and for acting. Better in a file.',
    ).optional(),
    tokenFile: text(nonEmpty, 'a path', 'File with the token.').optional(),
  },
  'The HTTP API, the metrics and the web page; left out, there are none.',
).optional();

/** Who may reach it, and whether it can listen. A token is never quoted. */
export function checkAdmin(root: Plain, files: Files): readonly Fault[] {
  const settings = root.admin;
  if (typeof settings !== 'object' || settings === null) return [];
  const { listen, token = null, tokenFile = null } = settings as Plain;
  const parsed = typeof listen === 'string' ? parseListenAddress(listen) : fault('');
  return [
    ...checkToken(token, tokenFile, files),
    ...(parsed.kind === 'value' ? checkSocket(root, parsed.value, (token ?? tokenFile) !== null) : []),
  ];
}

function checkToken(token: unknown, tokenFile: unknown, files: Files): readonly Fault[] {
  if (token !== null && tokenFile !== null)
    return [errorAt(['admin', 'token'], 'given twice: expected token or tokenFile')];
  if (typeof token === 'string') return checkStrength(['admin', 'token'], 'what is given', token);
  const unreadable = checkPasswordFile(['admin', 'tokenFile'], tokenFile, files);
  if (unreadable.length > 0 || typeof tokenFile !== 'string') return unreadable;
  return checkStrength(['admin', 'tokenFile'], `what ${show(tokenFile)} holds`, passwordIn(tokenFile, files));
}

function checkStrength(path: Path, what: string, token: string): readonly Fault[] {
  if (token.length >= SHORTEST_TOKEN && /^[!-~]+$/.test(token)) return [];
  return [errorAt(path, `${what} is too short or has other characters: expected ${tokenForm}`)];
}

function checkSocket(root: Plain, { host, port }: AdminSettings['listen'], guarded: boolean): readonly Fault[] {
  const socket = hostPort(host, port);
  const faults: Fault[] = [];
  if (!guarded && !isLoopback(host)) {
    const message = `missing: ${show(socket)} can be reached from elsewhere, expected a token, or an address like 127.0.0.1`;
    faults.push(errorAt(['admin', 'tokenFile'], message));
  }
  const owner = port === 0 ? undefined : ownerOf(root, socket);
  if (owner !== undefined) {
    const message = `${show(socket)} is taken by listener ${owner}: expected another address or port`;
    faults.push(errorAt(['admin', 'listen'], message));
  }
  return faults;
}

/** The listener that listens there too. */
function ownerOf(root: Plain, socket: string): string | undefined {
  const isIt = (written: unknown): boolean => {
    const parsed = typeof written === 'string' ? parseListenAddress(written) : fault('');
    return parsed.kind === 'value' && hostPort(parsed.value.host, parsed.value.port) === socket;
  };
  const owner = keysOf(root, 'listeners').find(([, { listen }]) => [listen].flat().some(isIt));
  return owner?.[0];
}

function isLoopback(host: string): boolean {
  return host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

export function buildAdmin(settings: z.output<typeof admin>, files: Files): AdminSettings | null {
  if (settings === undefined) return null;
  const { listen, token, tokenFile } = settings;
  const said = tokenFile === undefined ? token : passwordIn(tokenFile, files);
  return { listen, token: said === undefined ? null : secretOf(said) };
}

function nonEmpty(input: string): Parsed<string> {
  return input === '' ? fault('is empty') : value(input);
}
