/** The running gateway, as commands reach it: by its HTTP API, whose socket and token the configuration file names. */
import { type AdminSettings, hostPort } from '@callahead/core';
import { loadAdminSettings } from '@callahead/core/config';
import { orComplain } from './load.ts';
import { complain, type Terminal } from './terminal.ts';

/** Something that keeps a command from its answer: lines for people, and what it exits with (SPEC 1.7). */
export type Trouble = Readonly<{ kind: 'trouble'; lines: readonly string[]; exitCode: 1 | 2 | 3 }>;

export type GatewayAnswer = Readonly<{ kind: 'answer'; body: unknown }> | Trouble;

export type GatewayClient = Readonly<{
  /** `host:port` */
  at: string;
  /** `body` left out: GET, else POST. `key`: an answer that lacks it is nobody's that we know. Never rejects; answers within ten seconds, a reload within a minute. */
  ask(path: string, key: string, body?: object): Promise<GatewayAnswer>;
  /** A stream of server-sent events, which ends when `signal` says so; trouble where it does not begin. Never rejects; its body may. */
  listen(
    path: string,
    signal: AbortSignal,
  ): Promise<Readonly<{ kind: 'stream'; body: AsyncIterable<Uint8Array> }> | Trouble>;
}>;

const ANSWER_WITHIN_MS = 10_000;
/** A file with large tables takes its time to read. */
const RELOAD_WITHIN_MS = 60_000;

/** That of the file; null: the file leads to none, which is said on stderr, and the exit code is 2. What else the file has may lack its variables and files here: they are the gateway's. */
export async function openGatewayClient(file: string, terminal: Terminal): Promise<GatewayClient | null> {
  const settings = await orComplain(loadAdminSettings(file, { env: process.env }), terminal);
  return settings === null ? null : createGatewayClient(settings, file);
}

function createGatewayClient({ listen: { host, port }, token }: AdminSettings, file: string): GatewayClient {
  const at = hostPort(reachable(host), port);
  const authorization = token === null ? {} : { authorization: `Bearer ${token.reveal()}` };

  async function send(path: string, signal: AbortSignal, body?: object): Promise<Response | Trouble> {
    try {
      const init =
        body === undefined
          ? { headers: authorization }
          : {
              method: 'POST',
              body: JSON.stringify(body),
              headers: { ...authorization, 'content-type': 'application/json' },
            };
      const response = await fetch(`http://${at}${path}`, { ...init, signal, redirect: 'error' });
      return response.ok ? response : refused(response.status, await bodyOf(response));
    } catch (error) {
      return unreachable(error as Error);
    }
  }

  function unreachable(error: Error): Trouble {
    const why = error.name === 'TimeoutError' ? 'nothing came in time' : reason(error);
    return trouble(
      1,
      `no gateway answers at ${at}, which ${file} names as admin.listen (${why}): expected one that runs with this file`,
    );
  }

  function refused(status: number, body: unknown): Trouble {
    const { message, problems } = errorIn(body);
    if (message === null)
      return trouble(
        1,
        `${at} answers HTTP ${status}, but not as callahead does: expected the admin.listen of a gateway in ${file}`,
      );
    if (status === 401)
      return trouble(
        2,
        `the gateway at ${at} does not take the token that ${file} has (admin.tokenFile): expected the one that it was started with`,
      );
    if (status === 409 && problems.length > 0) return { kind: 'trouble', lines: problems, exitCode: 2 };
    if (status === 429 || status === 503) return trouble(3, `the gateway at ${at}: ${message}`);
    return trouble(status < 500 ? 2 : 1, `the gateway at ${at}: ${message}`);
  }

  return {
    at,
    async ask(path, key, body) {
      const signal = AbortSignal.timeout(path.endsWith('/reload') ? RELOAD_WITHIN_MS : ANSWER_WITHIN_MS);
      const response = await send(path, signal, body);
      if ('kind' in response) return response;
      const answer = await bodyOf(response);
      return typeof answer === 'object' && answer !== null && key in answer
        ? { kind: 'answer', body: answer }
        : refused(response.status, null);
    },
    async listen(path, signal) {
      const connecting = new AbortController();
      const late = setTimeout(() => connecting.abort(new DOMException('late', 'TimeoutError')), ANSWER_WITHIN_MS);
      const response = await send(path, AbortSignal.any([signal, connecting.signal]));
      clearTimeout(late);
      if ('kind' in response) return response;
      return response.body === null ? refused(response.status, null) : { kind: 'stream', body: response.body };
    },
  };
}

/** Writes why there is no answer; the exit code that this is worth. */
export function tell({ lines, exitCode }: Trouble, terminal: Terminal): number {
  for (const line of lines) complain(line, exitCode, terminal);
  return exitCode;
}

/** An address that stands for all of them is none that can be called. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

function trouble(exitCode: Trouble['exitCode'], line: string): Trouble {
  return { kind: 'trouble', lines: [line], exitCode };
}

function reason({ message, cause }: Error): string {
  return cause instanceof Error ? cause.message || ((cause as NodeJS.ErrnoException).code ?? message) : message;
}

async function bodyOf(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    // What is no JSON is no answer of ours.
    return null;
  }
}

type ApiError = Readonly<{ message: string | null; problems: readonly string[] }>;

function errorIn(body: unknown): ApiError {
  const error = (body as Readonly<{ error?: Partial<ApiError> }> | null)?.error;
  return { message: typeof error?.message === 'string' ? error.message : null, problems: error?.problems ?? [] };
}
