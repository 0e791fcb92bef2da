/** The console: a page that holds no data and asks the API for it (SPEC 10.3). */
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import { Problem } from './problem.ts';

type PageFile = Readonly<{ type: string; plain: Buffer; packed: Buffer; cacheControl: string }>;

/** By the path at which it is served. Beside `src` and beside `dist`. */
export const PAGE_FOLDER: string = fileURLToPath(new URL('../dist-web', import.meta.url));

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Their names change with their contents. */
const FOR_EVER = 'public, max-age=31536000, immutable';

// With `q=0` it is named to be declined. RFC 9110 §12.4.2
const TAKES_GZIP = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i;

/** Serves what `folder` holds, which is read once; where it was never built the page says so. */
export function addPage(app: FastifyInstance, folder: string): void {
  const files = readPage(folder);
  for (const [path, file] of files) {
    app.get(path, { config: { access: 'open' } }, async ({ headers }, reply) => {
      const isPacked = TAKES_GZIP.test(headers['accept-encoding'] ?? '');
      reply.type(file.type).headers({ 'cache-control': file.cacheControl, vary: 'accept-encoding' });
      if (isPacked) reply.header('content-encoding', 'gzip');
      return reply.send(isPacked ? file.packed : file.plain);
    });
  }
  if (files.has('/')) return;
  app.get('/', { config: { access: 'open' } }, async () => {
    throw new Problem(
      'not-found',
      'the web page is not built: npm run build makes it, and every published package has it',
    );
  });
}

function readPage(folder: string): ReadonlyMap<string, PageFile> {
  const files = new Map<string, PageFile>();
  for (const name of namesIn(folder)) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const plain = readFileSync(join(folder, name));
    const isIndex = name === 'index.html';
    files.set(isIndex ? '/' : `/${name}`, {
      type,
      plain,
      packed: gzipSync(plain, { level: 9 }),
      cacheControl: isIndex ? 'no-cache' : FOR_EVER,
    });
  }
  return files;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' });
  } catch {
    return [];
  }
}
