/** The HTTP listener: a guard before every route, headers that keep a browser from harm, and one shape for whatever cannot be answered. */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Emit } from '@callahead/core';
import Fastify, { type ConnectionError, type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify';
import type { Access, Guard } from './guard.ts';
import { Problem, problemBody, statusOfProblem } from './problem.ts';
import { createRation } from './ration.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Left out: `read`. */
    access?: Access;
  }
}

const MOST_BODY_OCTETS = 16_384;
const MOST_CONNECTIONS = 256;
const REQUEST_MS = 10_000;
/** How often it is looked for requests that are late. */
const CHECK_MS = 5_000;
const IDLE_MS = 30_000;
/** What is told of a path. */
const MOST_PATH = 80;
const BAD_PATH = 'the path is not right: expected percent signs before two hexadecimal digits only';

const METHODS = ['GET', 'HEAD', 'POST'] as const;

/** What every answer carries. The page has its scripts and styles in files of its own. */
const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

/** Without a route yet. */
export function openHttp(guard: Guard, { emit, now }: Readonly<{ emit: Emit; now: () => number }>): FastifyInstance {
  const app = Fastify({
    logger: false,
    frameworkErrors: (_, __, reply) => sendProblem(reply.headers(HEADERS), new Problem('bad-request', BAD_PATH)),
    clientErrorHandler: turnAway,
    bodyLimit: MOST_BODY_OCTETS,
    requestTimeout: REQUEST_MS,
    http: { connectionsCheckingInterval: CHECK_MS },
    keepAliveTimeout: IDLE_MS,
    forceCloseConnections: true,
    exposeHeadRoutes: true,
    routerOptions: { maxParamLength: 100 },
  });
  app.server.maxConnections = MOST_CONNECTIONS;
  // What is no JSON is refused, so that no form of another site is ever read.
  app.removeContentTypeParser('text/plain');
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(HEADERS);
    guard(request, request.routeOptions.config.access ?? 'read');
  });
  app.setNotFoundHandler((request) => {
    const path = pathOf(request.url);
    const allowed = METHODS.filter((method) => app.hasRoute({ method, url: path }));
    if (allowed.length > 0) {
      const headers = { allow: allowed.join(', ') };
      throw new Problem(
        'method-not-allowed',
        `${request.method} is not for this path: expected ${headers.allow}`,
        null,
        headers,
      );
    }
    throw new Problem(
      'not-found',
      `there is no ${request.method} ${path.slice(0, MOST_PATH)}: docs/api.md lists what there is`,
    );
  });
  // Anybody may ask without a token, and must not fill the disk of the log by it.
  const lines = createRation({ perSecond: 1, saved: 20, now });
  let untold = 0;
  function refused(about: Readonly<{ client: string; path: string; kind: string }>): void {
    untold++;
    if (lines.take().kind === 'empty') return;
    emit({ event: 'admin.refused', ...about, count: untold });
    untold = 0;
  }

  app.setErrorHandler<FastifyError | Problem>((error, request, reply) => {
    const problem = error instanceof Problem ? error : problemOf(error);
    const about = { client: request.ip, path: pathOf(request.url).slice(0, MOST_PATH) };
    if (problem.kind === 'unauthorized' || problem.kind === 'forbidden') refused({ ...about, kind: problem.kind });
    if (problem.kind === 'internal') emit({ event: 'admin.failed', ...about, error: String(error.stack) });
    return sendProblem(reply, problem);
  });
  return app;
}

function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply.code(statusOfProblem(problem)).headers(problem.headers).send(problemBody(problem));
}

/** Whom a request asks about stands behind the question mark, and in no log. */
function pathOf(url: string): string {
  return url.split('?')[0] ?? '';
}

/** What fastify finds wrong, in our words; of what is broken inside nothing is told. */
function problemOf({ statusCode = 500, code }: FastifyError): Problem {
  if (statusCode === 413)
    return new Problem('too-large', `the body is too long: expected at most ${MOST_BODY_OCTETS} octets`);
  if (statusCode === 415) return new Problem('unsupported-media-type', 'expected Content-Type: application/json');
  if (statusCode >= 400 && statusCode < 500) {
    const what = code === 'FST_ERR_CTP_EMPTY_JSON_BODY' ? 'empty' : 'no JSON';
    return new Problem('bad-request', `the body is ${what}: expected a JSON object`);
  }
  return new Problem('internal', 'the gateway could not answer this: its log may say why');
}

/** What is no request, not a whole one, or has too much before its body. Nothing of it is told back. */
function turnAway({ code }: ConnectionError, socket: Socket): void {
  if (code !== 'ECONNRESET' && socket.writable) {
    const problem = brokenRequest(code);
    const body = JSON.stringify(problemBody(problem));
    const status = statusOfProblem(problem);
    const headers = { ...HEADERS, 'content-type': 'application/json; charset=utf-8', connection: 'close' };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const length = `content-length: ${Buffer.byteLength(body)}`;
    socket.write([`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, length, '', body].join('\r\n'));
  }
  socket.destroySoon();
}

function brokenRequest(code: string | undefined): Problem {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new Problem('timeout', `the request is not whole: expected all of it within ${REQUEST_MS / 1_000} s`);
  if (code === 'HPE_HEADER_OVERFLOW')
    return new Problem('headers-too-large', 'the head of the request is too long: expected at most 16 KB');
  return new Problem('bad-request', 'this is no HTTP request');
}
