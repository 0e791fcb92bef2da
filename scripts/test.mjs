/** `npm test [-- ARGUMENTS OF AVA]`: installs what is needed and runs the tests. */
import { installDebianPackages } from './debian.mjs';
import { bin, exitWith, install, run } from './install.mjs';
import { buildPage } from './page.mjs';

exitWith(async () => {
  install();
  buildPage();
  installDebianPackages();
  return run(bin('ava'), process.argv.slice(2));
});
