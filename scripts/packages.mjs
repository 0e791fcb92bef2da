/** The packages of the workspace: their order, their build, their tarballs. */
import { copyFileSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bin, pnpm, ROOT, runQuietly } from './install.mjs';
import { buildPage } from './page.mjs';

/** Makes dist of every package, JavaScript and types, in the order of the import arrows, and the web page. Throws with the compiler's words. */
export function build() {
  const packages = packagesInOrder();
  // All of them before the first is built: an import against the arrows then finds nothing, rather than the last build.
  for (const { folder } of packages) rmSync(join(folder, 'dist'), { recursive: true, force: true });
  for (const { name, folder } of packages) {
    const { code, output } = runQuietly(bin('tsc'), ['-p', join(folder, 'tsconfig.build.json')]);
    if (code !== 0) throw new Error(`${name} does not build:\n${output}`);
  }
  buildPage();
  // The command's page at the registry is the page of the project. LICENSE comes into each tarball from the root by itself.
  copyFileSync(join(ROOT, 'README.md'), join(ROOT, 'packages', 'cli', 'README.md'));
}

/** Builds, and puts the tarballs of all packages into `folder`, as they would be published; returns their paths. Throws with the compiler's or pnpm's words. */
export function pack(folder) {
  build();
  pnpm(['--recursive', '--filter', './packages/*', 'pack', '--pack-destination', folder]);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.tgz'))
    .sort()
    .map((name) => join(folder, name));
}

/** Each package after those it depends on. Throws when packages depend on each other in a circle. */
function packagesInOrder() {
  const waiting = readdirSync(join(ROOT, 'packages')).map((entry) => readPackage(join(ROOT, 'packages', entry)));
  const names = new Set(waiting.map(({ name }) => name));
  const ordered = [];
  while (waiting.length > 0) {
    const done = new Set(ordered.map(({ name }) => name));
    const ready = ({ dependencies }) => dependencies.every((name) => done.has(name) || !names.has(name));
    const next = waiting.findIndex(ready);
    if (next < 0) throw new Error(`these packages depend on each other: ${waiting.map(({ name }) => name).join(', ')}`);
    ordered.push(...waiting.splice(next, 1));
  }
  return ordered;
}

function readPackage(folder) {
  const { name, dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return { name, folder, dependencies: Object.keys(dependencies ?? {}) };
}
