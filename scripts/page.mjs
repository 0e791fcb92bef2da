/** `node scripts/page.mjs`: builds the web page of packages/admin. `buildPage` does it only where its sources have changed. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NODE, ROOT, runQuietly, say } from './install.mjs';

const ADMIN = join(ROOT, 'packages', 'admin');
const SOURCES = join(ADMIN, 'web');
const BUILT = join(ADMIN, 'dist-web');
/** Not in what is built, for that is published. */
const STAMP = join(ROOT, 'node_modules', '.page');

/** Makes packages/admin/dist-web unless it is what the sources say. Throws with Vite's words. */
export function buildPage() {
  const wanted = fingerprint();
  if (existsSync(join(BUILT, 'index.html')) && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return;
  say('building the web page');
  const { code, output } = runQuietly(NODE, [import.meta.filename]);
  if (code !== 0) throw new Error(`the web page does not build:\n${output}`);
  writeFileSync(STAMP, wanted);
}

/** Contents, not times, and the versions of what it is built with. */
function fingerprint() {
  const hash = createHash('sha256');
  const files = readdirSync(SOURCES, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((file) => join(file.parentPath, file.name)).sort();
  for (const path of [...paths, import.meta.filename, join(ROOT, 'pnpm-lock.yaml')])
    hash.update(path.slice(ROOT.length)).update('\0').update(readFileSync(path));
  return hash.digest('hex');
}

// As a program it runs on the Node of the workspace, which Vite needs.
if (process.argv[1] === import.meta.filename) {
  const { build } = await import('vite');
  // Beside its place, and moved there when it is whole: a gateway may be starting.
  const fresh = join(ADMIN, `.dist-web-${process.pid}`);
  try {
    await build({
      root: SOURCES,
      configFile: false,
      logLevel: 'warn',
      base: './',
      oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
      // The gateway's headers forbid what is written into the page: everything is a file.
      build: {
        outDir: fresh,
        emptyOutDir: true,
        target: 'es2022',
        assetsInlineLimit: 0,
        modulePreload: { polyfill: false },
      },
    });
    rmSync(BUILT, { recursive: true, force: true });
    renameSync(fresh, BUILT);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}
