/** `npm test [-- ARGUMENTS OF AVA]`: installs what is needed and runs the tests. */
import { installDebianPackages } from './debian.mjs';
import { bin, exitWith, install, run } from './install.mjs';

exitWith(async () => {
  install();
  installDebianPackages();
  return run(bin('ava'), process.argv.slice(2));
});
