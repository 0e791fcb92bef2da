/** `npm run check`: everything that can be said about the source without running it. Says which checks failed; exit code 1 when one did. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { bin, exitWith, install, runQuietly, say } from './install.mjs';
import { pack } from './packages.mjs';

exitWith(async () => {
  install();
  const passed = [
    check('types', () => runQuietly(bin('tsc'), ['-p', '.'])),
    check('types of the web page', () => runQuietly(bin('tsc'), ['-p', 'packages/admin/web'])),
    check('lint and format', () => runQuietly(bin('biome'), ['check', '--error-on-warnings', '.'])),
    check('unused files, exports and dependencies', () => runQuietly(bin('knip'), [])),
    check('packages as published', checkTarballs),
  ];
  return passed.every(Boolean) ? 0 : 1;
});

function check(name, work) {
  const { code, output } = work();
  say(`${code === 0 ? 'ok' : 'not ok'} - ${name}`);
  if (code !== 0) say(output.trimEnd());
  return code === 0;
}

function checkTarballs() {
  const folder = mkdtempSync(join(tmpdir(), 'callahead-pack-'));
  try {
    const results = pack(folder).map((tarball) => ({ tarball, ...runQuietly(bin('publint'), [tarball, '--strict']) }));
    const bad = results.filter(({ code }) => code !== 0);
    return { code: bad.length, output: bad.map(({ tarball, output }) => `${basename(tarball)}: ${output}`).join('\n') };
  } catch (error) {
    return { code: 1, output: error.message };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
